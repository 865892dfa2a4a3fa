import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  basePace,
  checkingOf,
  checkLoadOf,
  formatPace,
  hostChecksPerSecond,
  paceOf,
  type CheckLoad,
  type CheckPace,
  type PaceBounds,
} from '../../../../src/core/haproxy/check-pace.js';
import { listenerWith, serverWith } from '../../support/models.js';

const bounds: PaceBounds = { checkRate: 25, mostMs: 30_000 };

function loadOf(clientHosts: number, tcp = 10, http = 10): CheckLoad {
  return { clientHosts, servers: { tcp, http } };
}

function paceFor(load: CheckLoad, before: CheckPace | null = null): [tcpMs: number, httpMs: number] {
  const { tcpMs, httpMs } = paceOf(load, bounds, before);
  return [tcpMs, httpMs];
}

describe('the pace of the checks', () => {
  test('is the base for up to some tens of client hosts, and for a thousand endpoints of either kind', () => {
    for (const clientHosts of [1, 10, 50]) expect(paceOf(loadOf(clientHosts), bounds, null)).toBe(basePace);
    expect(paceOf(loadOf(1, 2_500, 0), bounds, null)).toBe(basePace);
    expect(paceOf(loadOf(1, 0, 1_000), bounds, null)).toBe(basePace);
  });

  test('doubles the interval until an endpoint gets no more than its rate, each kind by itself, and ends at the bound', () => {
    expect(paceFor(loadOf(51))).toEqual([5_000, 4_000]);
    expect(paceFor(loadOf(126))).toEqual([5_000, 8_000]);
    expect(paceFor(loadOf(400))).toEqual([5_000, 16_000]);
    expect(paceFor(loadOf(501))).toEqual([10_000, 30_000]);
    expect(paceFor(loadOf(2_001))).toEqual([30_000, 30_000]);
    expect(paceFor(loadOf(1_000_000))).toEqual([30_000, 30_000]);
  });

  test('keeps a host with many endpoints at so many checks a second', () => {
    expect(paceFor(loadOf(1, 5_000, 0))).toEqual([10_000, 4_000]);
    expect(paceFor(loadOf(1, 10_000, 0))).toEqual([20_000, 8_000]);
    expect(paceFor(loadOf(1, 1_000_000, 0))).toEqual([30_000, 30_000]);
  });

  test('tells why it is slow, and nothing where it is not', () => {
    expect(formatPace(paceOf(loadOf(600, 3, 0), bounds, null))).toBe(
      'checks every 10s, over HTTP every 30s: 600 client hosts, 3 endpoints here',
    );
    expect(formatPace(paceOf(loadOf(1, 5_000, 1), bounds, null))).toBe(
      'checks every 20s, over HTTP every 8s: 1 client host, 5001 endpoints here',
    );
    expect(formatPace(basePace)).toBe('checks every 5s, over HTTP every 2s');
  });

  test('never slows where the bound is that of the base', () => {
    expect(paceOf(loadOf(1_000_000, 100_000, 100_000), { ...bounds, mostMs: 2_000 }, null)).toBe(basePace);
    const { tcpMs, httpMs } = paceOf(loadOf(1_000_000), { ...bounds, mostMs: 3_000 }, null);
    expect([tcpMs, httpMs]).toEqual([5_000, 3_000]);
  });
});

const anyLoad = fc.record({
  clientHosts: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 100_000 })),
  servers: fc.record({ tcp: fc.integer({ min: 0, max: 20_000 }), http: fc.integer({ min: 0, max: 20_000 }) }),
});
const anyBounds = fc.record({
  checkRate: fc.integer({ min: 1, max: 1_000 }),
  mostMs: fc.integer({ min: 2_000, max: 120_000 }),
});
const kinds = ['tcp', 'http'] as const;
const property = { seed: 8, numRuns: 2_000 };

describe('whatever the load', () => {
  test('it stays between the base and the bound, and the limits hold unless it is at the bound', () => {
    fc.assert(
      fc.property(anyLoad, anyLoad, anyBounds, (first, load, within) => {
        const pace = paceOf(load, within, paceOf(first, within, null));
        for (const kind of kinds) {
          const [ms, baseMs] = [pace[`${kind}Ms`], basePace[`${kind}Ms`]];
          expect(ms).toBeGreaterThanOrEqual(baseMs);
          expect(ms).toBeLessThanOrEqual(Math.max(baseMs, within.mostMs));
          const isPower = Number.isInteger(Math.log2(ms / baseMs));
          expect(isPower || ms === within.mostMs).toBe(true);
          const isAtBound = ms >= within.mostMs;
          expect(isAtBound || ((kind === 'tcp' ? 0.25 : 1) * load.clientHosts * 1000) / ms <= within.checkRate).toBe(
            true,
          );
        }
        const { tcpMs, httpMs } = pace;
        const own = (load.servers.tcp * 1000) / tcpMs + (load.servers.http * 1000) / httpMs;
        const isAtBound = [tcpMs, httpMs].every((ms) => ms >= within.mostMs);
        expect(isAtBound || own <= hostChecksPerSecond).toBe(true);
        expect(pace.because === null).toBe(tcpMs === basePace.tcpMs && httpMs === basePace.httpMs);
      }),
      property,
    );
  });

  test('it is the same object where nothing changes, and more hosts never make it faster', () => {
    fc.assert(
      fc.property(anyLoad, anyLoad, anyBounds, fc.integer({ min: 0, max: 1_000 }), (first, load, within, more) => {
        const pace = paceOf(load, within, paceOf(first, within, null));
        expect(paceOf(load, within, pace)).toBe(pace);
        const fuller = paceOf({ ...load, clientHosts: load.clientHosts + more }, within, null);
        const alone = paceOf(load, within, null);
        expect(fuller.tcpMs).toBeGreaterThanOrEqual(alone.tcpMs);
        expect(fuller.httpMs).toBeGreaterThanOrEqual(alone.httpMs);
      }),
      property,
    );
  });

  test('client hosts that come and go by a quarter change it once at the most, whatever the limit that they waver around', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 100_000 }),
        fc.array(fc.double({ min: 1, max: 1.25, noNaN: true }), { minLength: 2, maxLength: 30 }),
        (clientHosts, factors) => {
          const loads = factors.map((factor) => loadOf(Math.floor(clientHosts * factor)));
          let pace = paceOf(loadOf(Math.floor(clientHosts * 1.25)), bounds, null);
          const first = pace;
          for (const load of loads) pace = paceOf(load, bounds, pace);
          expect(pace).toBe(first);
        },
      ),
      property,
    );
  });
});

describe('a listener', () => {
  const slow = { ...basePace, tcpMs: 20_000, httpMs: 16_000, because: 'many' };

  test('is checked at the pace of its kind, and where that is slow believes traffic sooner', () => {
    const [tcp, http] = [listenerWith(), listenerWith({ check: '/healthz' })];
    expect(checkingOf(tcp, basePace)).toMatchObject({ checkInterval: '5s', errorLimit: 10 });
    expect(checkingOf(http, basePace)).toMatchObject({ checkInterval: '2s', errorLimit: 10 });
    expect(checkingOf(tcp, slow)).toMatchObject({ checkInterval: '20s', errorLimit: 3 });
    expect(checkingOf(http, slow)).toMatchObject({ checkInterval: '16s', errorLimit: 3 });
  });

  test('whose service asks for an interval has it, counts for no limit, and slows nobody else', () => {
    const own = listenerWith({
      checkIntervalMs: 500,
      servers: Array.from({ length: 5_000 }, (_, n) => serverWith({ name: String(n) })),
    });
    expect(checkingOf(own, slow)).toMatchObject({ checkInterval: '500ms', errorLimit: 10 });
    const load = checkLoadOf([own, listenerWith({ service: 'other' }), listenerWith({ check: '/', servers: [] })], 1);
    expect(load).toEqual({ clientHosts: 1, servers: { tcp: 1, http: 0 } });
    expect(paceOf(load, bounds, null)).toBe(basePace);
  });
});
