import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRestarts, type Restarts } from '../../../src/daemon/restarts.js';
import { recordingLog } from '../support/log.js';

let recorded: ReturnType<typeof recordingLog>;
let restarts: Restarts;

beforeEach(() => {
  vi.useFakeTimers();
  recorded = recordingLog();
  restarts = createRestarts(recorded.log);
});
afterEach(() => {
  vi.useRealTimers();
});

/** It runs for so long, and ends. */
function runFor(ms: number): number {
  restarts.running();
  vi.advanceTimersByTime(ms);
  return restarts.waitMs();
}

test('the first start waits for nothing', () => {
  expect(restarts.waitMs()).toBeLessThanOrEqual(0);
});

test('one that was well for a while is started again at once, whenever it ends', () => {
  for (let n = 0; n < 3; n += 1) expect(runFor(10_000)).toBeLessThanOrEqual(0);
  expect(recorded.lines).toEqual([]);
});

test('one that ends soon is started again at once the first time, then with growing pauses up to a cap', () => {
  expect(runFor(500)).toBeLessThanOrEqual(0);
  const pauses = Array.from({ length: 12 }, () => {
    const pauseMs = runFor(500);
    vi.advanceTimersByTime(pauseMs);
    return pauseMs;
  });
  expect(pauses[0]).toBeGreaterThanOrEqual(50);
  expect(pauses[0]).toBeLessThanOrEqual(100);
  for (const pauseMs of pauses.slice(6)) {
    expect(pauseMs).toBeGreaterThanOrEqual(1_000);
    expect(pauseMs).toBeLessThanOrEqual(2_000);
  }
});

test('the pause runs from the end, however often it is asked for', () => {
  runFor(500);
  const pauseMs = runFor(500);
  vi.advanceTimersByTime(pauseMs - 10);
  expect(restarts.waitMs()).toBeCloseTo(10, 0);
  vi.advanceTimersByTime(10);
  expect(restarts.waitMs()).toBeLessThanOrEqual(0);
});

test('a loop is told at its start, once a minute, and at its end', () => {
  for (let n = 0; n < 100; n += 1) vi.advanceTimersByTime(Math.max(0, runFor(500)));
  const told = recorded.messages('error');
  expect(new Set(told)).toEqual(
    new Set(['HAProxy ends soon after each start; it is started again with growing pauses']),
  );
  expect(told.length).toBeGreaterThan(1);
  expect(told.length).toBeLessThan(6);
  expect(restarts.isLooping()).toBe(true);
  restarts.running();
  vi.advanceTimersByTime(9_000);
  restarts.running();
  expect(restarts.isLooping()).toBe(true);
  vi.advanceTimersByTime(1_000);
  restarts.running();
  expect(restarts.isLooping()).toBe(false);
  expect(recorded.messages('info')).toEqual(['HAProxy stays up again']);
});
