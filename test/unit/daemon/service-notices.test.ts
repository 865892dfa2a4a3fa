import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { tellServiceManager } from '../../../src/daemon/service-notices.js';
import { recordingLog } from '../support/log.js';
import { pass } from '../support/time.js';

let controller: AbortController;
let told: string[];
let failure: Error | null;
let isAlive: boolean;
let isReady: boolean;
let text: string;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
  [told, failure, isAlive, isReady, text] = [[], null, true, false, 'not ready: waiting'];
  recorded = recordingLog();
});
afterEach(() => {
  controller.abort();
  vi.useRealTimers();
});

function start(watchdogMs: number | null = null): Promise<void> {
  return tellServiceManager(
    {
      health: { isAlive: () => isAlive, readiness: () => ({ isReady, text }) },
      watchdogMs,
      tell: (assignments) => {
        if (failure !== null) return Promise.reject(failure);
        told.push(...assignments);
        return Promise.resolve();
      },
      log: recorded.log,
    },
    controller.signal,
  );
}

test('is told when the daemon is ready, how it is, and that it stops', async () => {
  const run = start();
  await pass(2_000);
  expect(told).toEqual(['EXTEND_TIMEOUT_USEC=30000000', 'STATUS=not ready: waiting']);
  [isReady, text] = [true, 'ready'];
  await pass(2_000);
  text = 'ready, on the last known good state';
  await pass(30_000);
  expect(told.slice(2)).toEqual(['READY=1', 'STATUS=ready', 'STATUS=ready, on the last known good state']);
  controller.abort();
  await run;
  expect(told.at(-1)).toBe('STOPPING=1');
});

test('a start that takes long asks for more time before it is over', async () => {
  void start();
  await pass(60_000);
  expect(told.filter((one) => one.startsWith('EXTEND_'))).toHaveLength(7);
});

test('hears that the daemon lives, twice in the time that it asks for, and nothing of one that hangs', async () => {
  void start(10_000);
  await pass(20_000);
  const alive = (): number => told.filter((one) => one === 'WATCHDOG=1').length;
  expect(alive()).toBeGreaterThanOrEqual(4);
  isAlive = false;
  const before = alive();
  await pass(20_000);
  expect(alive()).toBe(before);
});

test('what it did not hear is said again, and the log has one line for it', async () => {
  isReady = true;
  failure = new Error('spawn systemd-notify ENOENT');
  void start();
  await pass(30_000);
  expect(recorded.messages('error')).toEqual(['systemd is not told how the daemon is']);
  failure = null;
  await pass(2_000);
  expect(told).toEqual(['READY=1', 'STATUS=not ready: waiting']);
  expect(recorded.messages('info')).toEqual(['systemd is told again how the daemon is']);
});
