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
let pacer: CheckPacer;

beforeEach(() => {
  clientHosts = null;
  random = 0.5;
  pacer = createCheckPacer({ bounds, clientHosts: () => clientHosts, random: () => random });
});

function tcpSeconds(listeners = few): number {
  return pacer.paceFor(listeners).tcpMs / 1000;
}

describe('the pace of a daemon', () => {
  test('is the base while nobody has told how many client hosts there are', () => {
    expect(pacer.paceFor(few)).toBe(basePace);
    expect(pacer.clientHosts()).toBeNull();
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
    expect(pacer.paceFor(few)).toBe(basePace);
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
  const byDocker = (...listeners: Listener[]): string[] => [...pacer.paceFor(listeners).byDocker];

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
    expect(pacer.paceFor([docker])).toBe(basePace);
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

  test('stays through a moment in which one endpoint has none, and while there is none at all', () => {
    clientHosts = 600;
    const before = pacer.paceFor([docker]);
    vi.advanceTimersByTime(60_000);
    for (const listener of [http, docker, web(), docker]) {
      expect(pacer.paceFor([listener])).toBe(before);
      vi.advanceTimersByTime(14_000);
    }
    expect(pacer.paceFor([])).toBe(before);
  });

  test('of a deploy one by one, there and back, is one reload, not one for each', () => {
    clientHosts = 600;
    const paces = new Set([pacer.paceFor([docker])]);
    vi.advanceTimersByTime(60_000);
    for (let n = 0; n < 40; n += 1) {
      // Images with and without one, in turns.
      paces.add(pacer.paceFor([n % 4 === 0 ? docker : http]));
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
});
