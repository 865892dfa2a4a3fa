import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Problem } from '../../../src/core/catalog.js';
import { createProblemLog, type ProblemLog } from '../../../src/daemon/problem-log.js';
import { recordingLog } from '../support/log.js';

let recorded: ReturnType<typeof recordingLog>;
let log: ProblemLog;

beforeEach(() => {
  vi.useFakeTimers();
  recorded = recordingLog();
  log = createProblemLog(recorded.log);
});
afterEach(() => {
  vi.useRealTimers();
});

const problem = (key: string, reason = 'r'): Problem => ({ key, reason });
const many = (count: number): Problem[] => Array.from({ length: count }, (_, n) => problem(String(100_000 + n)));
const passMinute = (): void => {
  vi.advanceTimersByTime(60_000);
};
/** The lines since the last call, each with what it is about. */
const lines = (): string[] =>
  recorded.lines.splice(0).map(({ msg, key, more, problems }) => `${msg}: ${String(key ?? more ?? problems)}`);

test('a key is told once while it lasts, and when it is over', () => {
  log.tell([[problem('a')]]);
  log.tell([[problem('a')]]);
  passMinute();
  log.tell([[problem('a')]]);
  expect(lines()).toEqual(['not served: a']);
  log.tell([[]]);
  log.tell([[problem('a')]]);
  expect(lines()).toEqual(['no longer a problem: a', 'not served: a']);
});

test('a key whose reason changes again and again, or whose kind does, is told once', () => {
  for (let n = 0; n < 100; n += 1) {
    log.tell([[problem('a', `claimed by ${String(n)}`)], []]);
    log.tell([[], [problem('a')]]);
  }
  expect(lines()).toEqual(['not served: a']);
});

test('a hundred thousand are twenty lines and a number, and their end is one line', () => {
  log.tell([many(100_000), [problem('x')]]);
  const told = lines();
  expect(told).toHaveLength(21);
  expect(told.at(-1)).toBe('more are not served; `docker-discover ls` lists them: 99981');
  log.tell([[], [problem('x')]]);
  expect(lines()).toEqual(['many are no longer a problem: 100000']);
});

test('what comes after the number waits for the next one, a minute later; what went meanwhile is not told at all', () => {
  log.tell([many(30)]);
  lines();
  log.tell([many(50)]);
  log.tell([many(40)]);
  expect(lines()).toEqual([]);
  passMinute();
  log.tell([many(40)]);
  expect(lines()).toEqual(['more are not served; `docker-discover ls` lists them: 10']);
});

test('the number tells how many are not served in all', () => {
  log.tell([many(30), [problem('x')]]);
  expect(recorded.lines.at(-1)).toMatchObject({ level: 'warn', more: 11, notServed: 31 });
});

test('a key that flaps without end costs no more than its quota', () => {
  for (let n = 0; n < 1_000; n += 1) {
    log.tell([[problem('a')]]);
    log.tell([[]]);
  }
  const told = lines();
  expect(told.length).toBeLessThanOrEqual(42);
  passMinute();
  log.tell([[]]);
  expect(lines().length).toBeLessThanOrEqual(1);
});

test('a key is shown printable, and cut', () => {
  log.tell([[problem(`\u001b[31m\u009b\u202e\n${'k'.repeat(100_000)}`)]]);
  const [line] = recorded.lines;
  expect(line?.['key']).toMatch(/^\\u001b\[31m\\u009b\\u202e\\nk+…$/);
  expect(String(line?.['key']).length).toBeLessThan(600);
});
