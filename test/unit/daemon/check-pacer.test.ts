import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { basePace } from '../../../src/core/haproxy/check-pace.js';
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
