import { describe, expect, test } from 'vitest';
import { basePace } from '../../../../src/core/haproxy/check-pace.js';
import { judgeDiscover, type DiscoverFacts } from '../../../../src/core/doctor/discover.js';
import type { Asked } from '../../../../src/core/doctor/finding.js';
import { judgeRegister, type RegisterFacts } from '../../../../src/core/doctor/register.js';
import type { DiscoverStatus } from '../../../../src/core/discover-status.js';

function answered<T>(value: T): Asked<T> {
  return { ok: true, value, tookMs: 1 };
}

function silent(code: string | null): Asked<never> {
  return { ok: false, reason: 'no answer in 10s', code };
}

describe('docker-register', () => {
  const status = { ready: true, lease: '42', registrations: 1 };
  const facts = (changes: Partial<RegisterFacts> = {}): RegisterFacts => ({
    runDir: '/run/docker-register',
    status: answered(status),
    lease: answered({ remainingMs: 12_000, grantedMs: 15_000 }),
    ...changes,
  });

  test('that is well', () => {
    expect(judgeRegister(facts()).map(({ found }) => found)).toEqual(['ready, with 1 registration', '12s of 15s left']);
  });

  test.each<[string, Partial<RegisterFacts>, readonly string[]]>([
    ['does not run', { status: silent('ENOENT'), lease: null }, ['warning', 'not checked']],
    ['was killed', { status: silent('ECONNREFUSED'), lease: null }, ['warning', 'not checked']],
    ['hangs', { status: silent(null), lease: null }, ['failed', 'not checked']],
    ['is not ready', { status: answered({ ...status, ready: false }) }, ['failed', 'ok']],
    ['has no lease', { status: answered({ ...status, lease: null }), lease: null }, ['ok', 'failed']],
    ['has lost its lease', { lease: answered(null) }, ['ok', 'failed']],
    ['is on time', { lease: answered({ remainingMs: 4_000, grantedMs: 15_000 }) }, ['ok', 'ok']],
    ['is late', { lease: answered({ remainingMs: 3_000, grantedMs: 15_000 }) }, ['ok', 'warning']],
    ['has a lease that can not be asked about', { lease: silent(null) }, ['ok', 'not checked']],
  ])('that %s', (_how, changes, results) => {
    expect(judgeRegister(facts(changes)).map(({ result }) => result)).toEqual(results);
  });
});

describe('docker-discover', () => {
  const haproxy = {
    running: true,
    workerPid: 7,
    silence: null,
    reloads: 1,
    runtimeChanges: 2,
    lastReload: null,
    lastChange: null,
  };
  const status: DiscoverStatus = {
    catalog: 'live',
    revision: 9,
    haproxy,
    checks: { ...basePace, byDocker: [], clientHosts: 1 },
    output: null,
    fault: null,
    listeners: [],
    problems: [],
    changes: [],
  };
  const facts = (changes: Partial<DiscoverStatus> = {}, isReady = true): DiscoverFacts => ({
    runDir: '/run/docker-discover',
    readiness: answered({ isReady, text: isReady ? 'ready' : 'not ready: so far' }),
    status: answered({ ...status, ...changes }),
  });

  test('that is well', () => {
    expect(judgeDiscover(facts()).map(({ check, result, found }) => `${result} ${check}: ${found}`)).toEqual([
      'ok docker-discover: ready, with 0 listeners and 0 endpoints',
      'ok catalog: live, at revision 9',
      'ok configuration: HAProxy runs what is wanted',
      'ok not served: nothing',
    ]);
  });

  test.each<[string, DiscoverFacts, string, string, RegExp]>([
    ['has no HAProxy', facts({ haproxy: { ...haproxy, running: false } }), 'docker-discover', 'failed', /not run/],
    ['hears nothing', facts({ haproxy: { ...haproxy, silence: 'late' } }), 'docker-discover', 'failed', /late/],
    ['is not ready', facts({}, false), 'docker-discover', 'failed', /not ready/],
    ['knows nothing yet', facts({ catalog: 'none' }), 'catalog', 'failed', /has not answered yet/],
    ['has no etcd', facts({ catalog: 'last known good' }), 'catalog', 'warning', /last known good/],
    ['is refused', facts({ fault: 'HAProxy says no' }), 'configuration', 'failed', /HAProxy says no/],
    [
      'leaves something out',
      facts({ problems: [{ key: 'a', reason: 'is taken' }] }),
      'not served',
      'warning',
      /1, such as a: is taken/,
    ],
  ])('that %s', (_how, given, check, result, found) => {
    const finding = judgeDiscover(given).find((one) => one.check === check);
    expect(finding).toMatchObject({ result, found: expect.stringMatching(found) as unknown });
    expect(finding?.mend).not.toBeNull();
  });

  test('that renders for another proxy needs no HAProxy', () => {
    const output = { path: '/etc/nginx/nginx.conf', runs: 1, lastRun: null };
    const findings = judgeDiscover(facts({ output, haproxy: { ...haproxy, running: false } }));
    expect(findings.map(({ result }) => result)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  test.each([
    ['does not run', 'ENOENT', 'warning'],
    ['hangs', null, 'failed'],
  ])('that %s', (_how, code, result) => {
    const findings = judgeDiscover({ runDir: '/run/x', readiness: silent(code), status: silent(code) });
    expect(findings.map((one) => one.result)).toEqual([result, 'not checked', 'not checked', 'not checked']);
  });
});
