import { describe, expect, test } from 'vitest';
import type { Asked } from '../../../../src/core/doctor/finding.js';
import { judgeDirectory, judgeHaproxy, judgeOpenFiles, judgeTemplate } from '../../../../src/core/doctor/haproxy.js';
import { judgePorts, type Offer } from '../../../../src/core/doctor/ports.js';

function answered<T>(value: T): Asked<T> {
  return { ok: true, value, tookMs: 1 };
}

function refused(code: string | null = null): Asked<never> {
  return { ok: false, reason: 'the reason', code };
}

test.each([
  ['2.8.9', 'warning', /3\.0 is what is tested/],
  ['3.0.11-1+deb13u4', 'ok', /^version 3\.0\.11-1\+deb13u4$/],
  ['3.2.1', 'ok', /newer than the 3\.0/],
])('HAProxy %s is %s', (version, result, found) => {
  expect(judgeHaproxy(answered(version))).toMatchObject({ result, found: expect.stringMatching(found) as unknown });
});

test('a HAProxy that can not be run is a failure', () => {
  expect(judgeHaproxy(refused())).toMatchObject({ result: 'failed', found: 'the reason' });
});

test('a template', () => {
  expect(judgeTemplate(answered({ listeners: 1, isEtcdRead: true })).found).toBe('taken, with 1 listener');
  expect(judgeTemplate(answered({ listeners: 0, isEtcdRead: false })).found).toMatch(/without services/);
  expect(judgeTemplate(refused())).toMatchObject({ result: 'failed', found: 'the reason' });
});

describe('ports', () => {
  const offer = (port: number, changes: Partial<Offer> = {}): Offer => ({
    name: 'web',
    bind: { host: '*', port },
    setting: 'MAP',
    state: 'free',
    isOurs: false,
    isHaproxys: false,
    ...changes,
  });

  test('that are free or ours are one finding', () => {
    expect(judgePorts([offer(0), offer(80), offer(81, { state: 'taken', isOurs: true })])).toEqual([
      { check: 'ports', result: 'ok', found: '1 free, 1 ours: web *:80, web *:81', mend: null },
    ]);
  });

  test('that HAProxy opens with more rights than the asker has are for HAProxy to tell of', () => {
    expect(judgePorts([offer(80, { state: 'forbidden', isHaproxys: true })])).toEqual([
      { check: 'ports', result: 'ok', found: '1 free, 0 ours: web *:80', mend: null },
    ]);
  });

  test('that nobody wants are not spoken of', () => {
    expect(judgePorts([])).toEqual([]);
  });

  test('more than a few are counted', () => {
    const [finding] = judgePorts([1, 2, 3, 4, 5].map((port) => offer(port)));
    expect(finding?.found).toBe('5 free, 0 ours: web *:1, web *:2, web *:3, web *:4, ...');
  });

  test.each<[Partial<Offer>, RegExp, RegExp]>([
    [{ state: 'taken' }, /\*:80 \(web\) is taken by another process/, /or set MAP/],
    [{ state: 'forbidden' }, /\*:80 \(web\) may not be opened/, /CAP_NET_BIND_SERVICE/],
    [
      { state: 'no such address', setting: 'BIND', bind: { host: '10.9.9.9', port: 0 } },
      /^10\.9\.9\.9 \(web\): this host has no such address/,
      /give BIND one that it has/,
    ],
  ])('each that can not be had is a failure with its mend: %j', (changes, found, mend) => {
    const [finding, ...others] = judgePorts([offer(80, changes), offer(81)]);
    expect(others).toEqual([]);
    expect(finding?.result).toBe('failed');
    expect(finding?.found).toMatch(found);
    expect(finding?.mend).toMatch(mend);
  });

  test('not more than ten are told of', () => {
    const findings = judgePorts(Array.from({ length: 12 }, (_, n) => offer(n + 1, { state: 'taken' })));
    expect(findings).toHaveLength(11);
    expect(findings.at(-1)?.found).toBe("2 more ports can't be had");
  });
});

describe('open files', () => {
  const facts = { limit: 20_000, listening: 10, endpoints: 90, sessions: 5 };
  test.each([
    [{}, 'ok', /limit 20000, enough for 9900 connections at a time; now 5/],
    [{ limit: Infinity }, 'ok', /limit none, enough for 99900/],
    [{ limit: 1024 }, 'warning', /enough for 412/],
    [{ limit: 4_200 }, 'ok', /enough for 2000/],
    [{ limit: 4_198 }, 'warning', /enough for 1999/],
    [{ sessions: 6_600 }, 'ok', /now 6600/],
    [{ sessions: 6_601 }, 'warning', /now 6601/],
    [{ limit: 200 }, 'failed', /enough for 0/],
    [{ limit: null }, 'not checked', /can not be read/],
  ])('%j', (changes, result, found) => {
    const finding = judgeOpenFiles({ ...facts, ...changes });
    expect(finding).toMatchObject({ result, found: expect.stringMatching(found) as unknown });
  });
});

test.each([
  ['ENOSPC', /free some space/],
  ['EROFS', /mount a volume/],
  [null, /set STATE_DIR/],
])('a directory that can not be written: %j', (code, mend) => {
  expect(judgeDirectory('STATE_DIR', '/var/lib/x', answered(null)).found).toBe('/var/lib/x can be written');
  const finding = judgeDirectory('STATE_DIR', '/var/lib/x', refused(code));
  expect(finding).toMatchObject({ check: 'STATE_DIR', result: 'failed' });
  expect(finding.mend).toMatch(mend);
});
