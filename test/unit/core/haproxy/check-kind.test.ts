import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkedOf,
  firstPaceOf,
  formatPaceChange,
  kindsOf,
  listenerCheckOf,
  mayBeLayer4,
  meantNames,
  withKinds,
} from '../../../../src/core/haproxy/check-kind.js';
import { basePace, checkingOf, foundWithinMs, type CheckPace } from '../../../../src/core/haproxy/check-pace.js';
import { claimsOf } from '../../../../src/core/haproxy/claims.js';
import type { Endpoint } from '../../../../src/core/catalog.js';
import type { Listener } from '../../../../src/core/haproxy/listener.js';
import { listenerWith, serverWith } from '../../support/models.js';
import { registrationWith } from '../../support/registrations.js';

const slow: CheckPace = { tcpMs: 10_000, httpMs: 30_000, because: 'many', byDocker: new Set() };

/** Of an HTTP service, with endpoints that Docker looks after within these times. */
function web(...times: (number | null)[]): Listener {
  const servers = times.map((healthcheckMs, n) => serverWith({ name: String(n), healthcheckMs }));
  return listenerWith({ service: 'web', check: '/healthz', servers });
}

describe('Docker’s HEALTHCHECK', () => {
  test('may stand in for HTTP checks that are slowed where it finds what is sick no later, at every endpoint', () => {
    expect(foundWithinMs('http', slow)).toBe(37_550);
    expect(mayBeLayer4(web(24_000, 36_000), slow)).toBe(true);
    expect(mayBeLayer4(web(24_000, 37_000), slow)).toBe(false);
    expect(mayBeLayer4(web(24_000, null), slow)).toBe(false);
    expect(mayBeLayer4(web(), slow)).toBe(false);
  });

  test('may not where HTTP checks come as often as ever, where the service asks for an interval, and where there are none', () => {
    const [quick] = [web(1_000)];
    expect(mayBeLayer4(quick, basePace)).toBe(false);
    expect(mayBeLayer4(quick, { ...slow, httpMs: basePace.httpMs })).toBe(false);
    expect(mayBeLayer4({ ...quick, checkIntervalMs: 30_000 }, slow)).toBe(false);
    expect(mayBeLayer4({ ...quick, check: null }, slow)).toBe(false);
  });

  test('never makes a frozen process be found later than slowed HTTP checks would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.integer({ min: 1_000, max: 120_000 })), { maxLength: 4 }),
        fc.constantFrom(2_000, 4_000, 8_000, 16_000, 30_000, 60_000),
        (times, httpMs) => {
          const listener = web(...times);
          const before = { ...slow, httpMs };
          const after = withKinds(before, kindsOf([listener], before, true).wanted);
          const [found, would] = [listenerCheckOf(listener, after), listenerCheckOf(listener, before)];
          expect(found.frozenWithinMs).not.toBeNull();
          expect(found.frozenWithinMs).toBeLessThanOrEqual(would.frozenWithinMs ?? 0);
        },
      ),
      { seed: 20_261_127 },
    );
  });

  test.each([
    ['all say it', {}, [24_000, 24_000]],
    ['one is stale, so that nobody would withdraw it', { stale: true }, [24_000, null]],
    ['one has another path', { check: '/other' }, [24_000, null]],
    ['one has another status', { checkStatus: '204' }, [24_000, null]],
    ['one does not say it', { healthcheckMs: null }, [24_000, null]],
  ])('counts of endpoints where %s', (_what, changes, times) => {
    const own = { check: '/healthz', healthcheckMs: 24_000 };
    const endpointWith = (id: string, createRevision: number, more: object): Endpoint => ({
      ...registrationWith({ ...own, id }),
      key: `/backends/whoami/${id}`,
      createRevision,
      stale: false,
      ...more,
    });
    const endpoints = [endpointWith('b', 9, {}), endpointWith('a', 2, changes)];
    const [claim] = claimsOf({ name: 'whoami', endpoints }, (_service, port) => port);
    expect(claim?.listener.servers.map(({ healthcheckMs }) => healthcheckMs)).toEqual(times);
  });
});

describe('the kinds of a pace', () => {
  const [a, b, gone] = [web(24_000), { ...web(null), name: 'b:80' }, { ...web(), name: 'gone:80' }];
  const mixed = { ...slow, byDocker: new Set(['b:80', 'gone:80', 'nobody:80']) };

  test('tell what is wanted, what is missed, and that there is more; what lingers stays', () => {
    const { wanted, missed, isMore } = kindsOf([a, b, gone], mixed, true);
    expect([[...wanted], [...missed], isMore]).toEqual([['web:8000', 'gone:80'], ['b:80'], true]);
    const isA = { ...slow, byDocker: new Set(['web:8000']) };
    expect(kindsOf([a, gone], isA, true)).toMatchObject({ isMore: false });
    // Where nobody obeys Docker, it looks after none.
    const none = kindsOf([a, gone], isA, false);
    expect([[...none.wanted], [...none.missed], none.isMore]).toEqual([[], ['web:8000'], false]);
    expect(kindsOf([a, gone], slow, false)).toMatchObject({ isMore: false });
  });

  test('are the same object where they are the same', () => {
    expect(withKinds(mixed, new Set([...mixed.byDocker].reverse()))).toBe(mixed);
    expect(withKinds(mixed, new Set(['a', 'b', 'c'])).byDocker).toEqual(new Set(['a', 'b', 'c']));
  });

  test('are told by their change, as the reason of a reload', () => {
    const all = ['a:1', 'b:1', 'c:1', 'd:1'].map((name) => ({ ...web(null), name }));
    const [some, others] = [withKinds(slow, new Set(['a:1', 'b:1', 'c:1'])), withKinds(slow, new Set(['c:1', 'd:1']))];
    expect(formatPaceChange(some, others, all)).toBe(
      "checks of a:1 and 1 more over HTTP again, since Docker's HEALTHCHECK no longer looks after all endpoints as well; of d:1 by layer 4 in place of HTTP, since Docker's HEALTHCHECK finds what is sick no later",
    );
    expect(formatPaceChange(basePace, some, all)).toBe(
      "checks every 10s, over HTTP every 30s, but by layer 4 for 3 listeners that Docker's HEALTHCHECK looks after: many",
    );
    expect(formatPaceChange(some, slow, all)).toMatch(/^checks of a:1 and 2 more over HTTP again/);
    // Docker looks after it as ever.
    expect(formatPaceChange(some, slow, [{ ...web(24_000), name: 'a:1' }, ...all.slice(1)])).toBe(
      "checks of b:1 and 1 more over HTTP again, since Docker's HEALTHCHECK no longer looks after all endpoints as well; of a:1 over HTTP again, since etcd did not answer for a while, or an endpoint was there that Docker's HEALTHCHECK does not look after",
    );
    // Of what is not there, or is not HAProxy's to check so, there is nothing to tell.
    expect(formatPaceChange(some, others, [])).toBeNull();
    const changed = [
      { ...web(null), name: 'a:1', check: null },
      { ...web(null), name: 'd:1', checkIntervalMs: 1_000 },
    ];
    expect(formatPaceChange(some, others, changed)).toBeNull();
  });

  test('mean nothing where there is no listener, or none whose HTTP checks are the pace’s', () => {
    expect([...meantNames([a, b, gone], mixed)]).toEqual(['b:80', 'gone:80']);
    expect([
      ...meantNames(
        [
          { ...b, check: null },
          { ...gone, checkIntervalMs: 1_000 },
        ],
        mixed,
      ),
    ]).toEqual([]);
  });

  test('are at once what a daemon comes to, and none for another proxy', () => {
    const what = { clientHosts: 1_000, bounds: { checkRate: 25, mostMs: 30_000 } };
    const pace = firstPaceOf([a, b], { ...what, isObeyed: true });
    expect([pace.httpMs, [...pace.byDocker]]).toEqual([30_000, ['web:8000']]);
    expect(firstPaceOf([a, b], { ...what, isObeyed: false })).toEqual({ ...pace, byDocker: new Set() });
    expect(firstPaceOf([a, b], { ...what, clientHosts: 1, isObeyed: true })).toBe(basePace);
  });

  test('are counted', () => {
    const tcp = listenerWith();
    expect(checkedOf([a, { ...b, name: 'x' }, tcp], { ...slow, byDocker: new Set([a.name]) })).toEqual({
      tcp: 1,
      http: 1,
      docker: 1,
    });
    const names = { ...slow, byDocker: new Set([a.name, b.name]) };
    expect(
      checkedOf(
        [
          { ...a, check: null },
          { ...b, checkIntervalMs: 1_000 },
        ],
        names,
      ),
    ).toEqual({
      tcp: 1,
      http: 1,
      docker: 0,
    });
  });
});

describe('how a listener is checked, in words', () => {
  const byDocker = { ...slow, byDocker: new Set(['web:8000']) };
  test.each<[string, Listener, CheckPace, string]>([
    ['', web(24_000), basePace, 'checked over HTTP (/healthz) every 2s; what is dead or frozen is out within 6.5s'],
    [
      'slowed',
      web(null),
      slow,
      'checked over HTTP (/healthz) every 30s, slowed from 2s (many); what is dead or frozen is out within 37.6s',
    ],
    [
      'by Docker',
      web(24_000),
      byDocker,
      "checked by layer 4 every 10s in place of HTTP (/healthz) every 30s: Docker's HEALTHCHECK looks after all endpoints (many); what is dead is out within 13.6s, frozen within 25s",
    ],
    [
      'by layer 4',
      listenerWith(),
      slow,
      'checked by layer 4 every 10s, slowed from 5s (many); what is dead is out within 13.6s, frozen is not found',
    ],
    [
      'as it asks',
      { ...web(24_000), checkIntervalMs: 1_000 },
      slow,
      'checked over HTTP (/healthz) every 1s, as the service asks; what is dead or frozen is out within 5.7s',
    ],
    [
      'as it asks now',
      { ...web(24_000), checkIntervalMs: 1_000 },
      byDocker,
      'checked over HTTP (/healthz) every 1s, as the service asks; what is dead or frozen is out within 5.7s',
    ],
    [
      'by layer 4 as it asks now',
      { ...web(24_000), check: null },
      byDocker,
      'checked by layer 4 every 10s, slowed from 5s (many); what is dead is out within 13.6s, frozen is not found',
    ],
  ])('%s', (_what, listener, pace, text) => {
    expect(listenerCheckOf(listener, pace).text).toBe(text);
  });

  test('is what its servers get', () => {
    expect(checkingOf(web(24_000), byDocker)).toEqual({
      check: null,
      checkStatus: null,
      checkInterval: '10s',
      errorLimit: 3,
    });
    // Traffic is believed sooner also where checks of layer 4 are as frequent as ever.
    expect(checkingOf(web(24_000), { ...byDocker, tcpMs: basePace.tcpMs })).toMatchObject({
      checkInterval: '5s',
      errorLimit: 3,
    });
    expect(checkingOf({ ...web(24_000), checkIntervalMs: 1_000 }, byDocker)).toEqual({
      check: '/healthz',
      checkStatus: null,
      checkInterval: '1s',
      errorLimit: 10,
    });
    expect(checkingOf(web(24_000), slow)).toEqual({
      check: '/healthz',
      checkStatus: null,
      checkInterval: '30s',
      errorLimit: 3,
    });
  });
});
