import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { basePace } from '../../../src/core/haproxy/check-pace.js';
import type { Listener } from '../../../src/core/haproxy/listener.js';
import { createCheckPacer, type CheckPacer } from '../../../src/daemon/check-pacer.js';
import { listenerWith, serverWith } from '../support/models.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const bounds = { checkRate: 25, mostMs: 30_000 };
const few = [listenerWith()];
const many = [
  listenerWith({ servers: Array.from({ length: 5_000 }, (_, n) => serverWith({ name: String(n), port: n + 1 })) }),
];

let clientHosts: number | null;
let random: number;
let isLive: boolean;
let pacer: CheckPacer;

function pacerWith(changes: { isCounted?: boolean; isOurs?: boolean } = {}): CheckPacer {
  const options = { isCounted: true, isOurs: true, ...changes };
  return createCheckPacer({ bounds, clientHosts: () => clientHosts, random: () => random, ...options });
}

beforeEach(() => {
  clientHosts = null;
  random = 0.5;
  isLive = true;
  pacer = pacerWith();
});

function tcpSeconds(listeners = few): number {
  return pacer.paceFor(listeners, isLive).tcpMs / 1000;
}

describe('the pace of a daemon', () => {
  test('is the base while nobody has told how many client hosts there are', () => {
    expect(pacer.paceFor(few, isLive)).toBe(basePace);
    expect(pacer.clientHosts()).toBeNull();
  });

  test('is by the number of the last run, until one is told', () => {
    pacer.restore(600);
    expect([tcpSeconds(), pacer.clientHosts()]).toEqual([10, 600]);
    clientHosts = 1_500;
    expect([tcpSeconds(), pacer.clientHosts(), pacer.counted()]).toEqual([20, 1_500, 1_500]);
  });

  test('that was set is not kept for the next run, and nothing of the last one is taken for it', () => {
    pacer = pacerWith({ isCounted: false });
    pacer.restore(600);
    expect([pacer.clientHosts(), pacer.counted()]).toEqual([null, null]);
    clientHosts = 1_500;
    expect([pacer.clientHosts(), pacer.counted()]).toEqual([1_500, null]);
  });

  test('is decided at once in the first moments, whatever becomes known', () => {
    expect(tcpSeconds()).toBe(5);
    clientHosts = 600;
    expect(tcpSeconds()).toBe(10);
    expect(tcpSeconds(many)).toBe(10);
    clientHosts = 1_500;
    expect(tcpSeconds(many)).toBe(20);
    expect(pacer.current().because).toBe('1500 client hosts, 5000 endpoints here');
  });

  test('later becomes slower within half a minute, at another moment on each host', () => {
    expect(tcpSeconds()).toBe(5);
    vi.advanceTimersByTime(30_000);
    clientHosts = 600;
    expect(tcpSeconds()).toBe(5);
    vi.advanceTimersByTime(14_999);
    expect(tcpSeconds()).toBe(5);
    vi.advanceTimersByTime(1);
    expect(tcpSeconds()).toBe(10);
    random = 0;
    clientHosts = 3_000;
    expect(tcpSeconds()).toBe(30);
  });

  test('becomes faster only when it has been right to for ten minutes, on end', () => {
    clientHosts = 600;
    expect(tcpSeconds()).toBe(10);
    clientHosts = 10;
    expect(tcpSeconds()).toBe(10);
    vi.advanceTimersByTime(600_000);
    expect(tcpSeconds()).toBe(10);
    clientHosts = 600;
    expect(tcpSeconds()).toBe(10);
    clientHosts = 10;
    expect(tcpSeconds()).toBe(10);
    vi.advanceTimersByTime(629_999);
    expect(tcpSeconds()).toBe(10);
    vi.advanceTimersByTime(1);
    expect(pacer.paceFor(few, isLive)).toBe(basePace);
  });

  test('is as slow as it must be when it was to become faster, and the load is back with more', () => {
    clientHosts = 600;
    expect(tcpSeconds()).toBe(10);
    clientHosts = 10;
    expect(tcpSeconds()).toBe(10);
    vi.advanceTimersByTime(599_000);
    clientHosts = 3_000;
    expect(tcpSeconds()).toBe(10);
    vi.advanceTimersByTime(15_000);
    expect(tcpSeconds()).toBe(30);
  });
});

describe('Docker’s HEALTHCHECK in place of HTTP checks', () => {
  /** A service with HTTP checks, of whose endpoints Docker looks after the first. */
  const web = (...times: (number | null)[]): Listener =>
    listenerWith({
      service: 'web',
      check: '/',
      servers: times.map((healthcheckMs, n) => serverWith({ name: String(n), healthcheckMs })),
    });
  const [docker, http] = [web(20_000, 20_000), web(20_000, null)];
  const byDocker = (...listeners: Listener[]): string[] => [...pacer.paceFor(listeners, isLive).byDocker];

  test('comes with the slower pace, and goes with it', () => {
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(30_000);
    clientHosts = 600;
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(15_000);
    expect(byDocker(docker)).toEqual(['web:8000']);
    clientHosts = 1;
    expect(byDocker(docker)).toEqual(['web:8000']);
    vi.advanceTimersByTime(630_000);
    expect(pacer.paceFor([docker], isLive)).toBe(basePace);
  });

  test('is left within half a minute where one endpoint has none, and taken up again only after ten minutes on end', () => {
    clientHosts = 600;
    expect(byDocker(docker)).toEqual(['web:8000']);
    vi.advanceTimersByTime(30_000);
    expect(byDocker(http)).toEqual(['web:8000']);
    vi.advanceTimersByTime(15_000);
    expect(byDocker(http)).toEqual([]);
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(600_000);
    expect(byDocker(http)).toEqual([]);
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(629_999);
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(byDocker(docker)).toEqual(['web:8000']);
  });

  test('stays through a moment in which one endpoint has none, and while there is no endpoint', () => {
    clientHosts = 600;
    const before = pacer.paceFor([docker], isLive);
    vi.advanceTimersByTime(60_000);
    for (const listener of [http, docker, web(), docker]) {
      expect(pacer.paceFor([listener], isLive)).toBe(before);
      vi.advanceTimersByTime(14_000);
    }
    expect(pacer.paceFor([web()], isLive)).toBe(before);
  });

  test('of a deploy one by one, there and back, is one reload, not one for each', () => {
    clientHosts = 600;
    const paces = new Set([pacer.paceFor([docker], isLive)]);
    vi.advanceTimersByTime(60_000);
    for (let n = 0; n < 40; n += 1) {
      // Images with and without one, in turns.
      paces.add(pacer.paceFor([n % 4 === 0 ? docker : http], isLive));
      vi.advanceTimersByTime(10_000);
    }
    expect(paces.size).toBe(2);
  });

  test('is left within half a minute also while checks are about to be faster', () => {
    clientHosts = 3_000;
    expect(byDocker(docker)).toEqual(['web:8000']);
    vi.advanceTimersByTime(60_000);
    clientHosts = 600;
    expect(byDocker(docker)).toEqual(['web:8000']);
    vi.advanceTimersByTime(60_000);
    expect(byDocker(http)).toEqual(['web:8000']);
    vi.advanceTimersByTime(15_000);
    expect(byDocker(http)).toEqual([]);
    expect(pacer.current().tcpMs).toBe(30_000);
  });

  test('of another service is not taken up when one is left', () => {
    clientHosts = 600;
    const other = listenerWith({ service: 'other', check: '/', servers: [serverWith({ healthcheckMs: 20_000 })] });
    expect(byDocker(docker)).toEqual(['web:8000']);
    vi.advanceTimersByTime(60_000);
    expect(byDocker(http, other)).toEqual(['web:8000']);
    vi.advanceTimersByTime(15_000);
    expect(byDocker(http, other)).toEqual([]);
  });

  test('is forgotten with the listener, and where the pace no longer decides on its check', () => {
    clientHosts = 600;
    for (const other of [
      [],
      [{ ...docker, check: null }],
      [{ ...docker, checkIntervalMs: 1_000 }],
      [{ ...docker, name: 'another:8000', servers: [] }],
    ]) {
      pacer = pacerWith();
      expect(byDocker(docker)).toEqual(['web:8000']);
      vi.advanceTimersByTime(60_000);
      const pace = pacer.paceFor(other, isLive);
      expect([pace.tcpMs, pace.byDocker.size]).toEqual([10_000, 0]);
      vi.advanceTimersByTime(60_000);
      expect(pacer.paceFor(other, isLive)).toBe(pace);
      // What comes back without one has its HTTP checks at once.
      expect(pacer.paceFor([http], isLive)).toBe(pace);
    }
  });

  test('is left while etcd is away, when nobody can withdraw, and taken up again when it is back', () => {
    clientHosts = 600;
    const before = pacer.paceFor([docker], isLive);
    vi.advanceTimersByTime(60_000);
    expect(pacer.paceFor([docker], isLive)).toBe(before);
    isLive = false;
    vi.advanceTimersByTime(30_000);
    expect(pacer.paceFor([docker], isLive)).toBe(before);
    vi.advanceTimersByTime(1);
    expect(pacer.paceFor([docker], isLive)).toBe(before);
    vi.advanceTimersByTime(15_000);
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(1_000_000);
    clientHosts = 3_000;
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(30_000);
    expect(byDocker(docker)).toEqual([]);
    expect(pacer.current().tcpMs).toBe(30_000);
    isLive = true;
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(630_000);
    expect(byDocker(docker)).toEqual(['web:8000']);
  });

  test('outlasts a restart of etcd', () => {
    clientHosts = 600;
    const before = pacer.paceFor([docker], isLive);
    for (let n = 0; n < 10; n += 1) {
      isLive = n % 3 === 0;
      vi.advanceTimersByTime(10_000);
      expect(pacer.paceFor([docker], isLive)).toBe(before);
    }
  });

  test('is not there before etcd has answered', () => {
    clientHosts = 600;
    isLive = false;
    expect(byDocker(docker)).toEqual([]);
    isLive = true;
    expect(byDocker(docker)).toEqual(['web:8000']);
  });

  test('is nothing for a proxy that is not ours', () => {
    clientHosts = 600;
    pacer = pacerWith({ isOurs: false });
    expect(byDocker(docker)).toEqual([]);
    vi.advanceTimersByTime(1_000_000);
    expect(byDocker(docker)).toEqual([]);
    expect(pacer.current().tcpMs).toBe(10_000);
  });
});
