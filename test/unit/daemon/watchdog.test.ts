import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchProxy } from '../../../src/daemon/watchdog.js';
import { recordingLog } from '../support/log.js';
import { pass } from '../support/time.js';

let controller: AbortController;
let recorded: ReturnType<typeof recordingLog>;
let running: boolean;
let answering: boolean;
let replaced: number;
let run: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
  recorded = recordingLog();
  running = true;
  answering = true;
  replaced = 0;
  const proxy = {
    isRunning: () => running,
    answers: () => (answering ? Promise.resolve() : Promise.reject(new Error('no answer in 3s'))),
    replace: () => {
      replaced += 1;
      running = false;
      return Promise.resolve();
    },
  };
  run = watchProxy({ proxy, log: recorded.log }, controller.signal).catch(() => undefined);
});
afterEach(async () => {
  controller.abort();
  await run;
  vi.useRealTimers();
});

test('one that answers stays', async () => {
  await pass(60_000);
  expect(replaced).toBe(0);
  expect(recorded.lines).toEqual([]);
});

test('one that does not answer three times in a row is replaced', async () => {
  answering = false;
  await pass(14_000);
  expect(replaced).toBe(0);
  await pass(1_000);
  expect(replaced).toBe(1);
  expect(recorded.messages()).toEqual(['HAProxy does not answer', 'HAProxy still does not answer; it is replaced']);
});

test('one that was busy for a moment stays', async () => {
  for (let n = 0; n < 5; n += 1) {
    answering = false;
    await pass(10_000);
    answering = true;
    await pass(5_000);
  }
  expect(replaced).toBe(0);
  expect(recorded.messages('info')).toHaveLength(5);
});

test('one that does not run is not asked, and the next begins afresh', async () => {
  answering = false;
  await pass(10_000);
  running = false;
  await pass(60_000);
  running = true;
  await pass(10_000);
  expect(replaced).toBe(0);
});
