import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SettingError } from '../../../src/core/errors.js';
import { retry } from '../../../src/daemon/retry.js';
import { recordingLog } from '../support/log.js';
import { pass, settle, until } from '../support/time.js';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const what = 'the operation';

/** An operation that fails so many times, then answers. */
function failing(times: number): () => Promise<string> {
  let left = times;
  return vi.fn(() => {
    left -= 1;
    return left < 0 ? Promise.resolve('done') : Promise.reject(new Error('it broke'));
  });
}

/** Retries, and notes when each attempt began. */
function start(operation: (healthy: () => void, signal: AbortSignal) => Promise<string>): {
  outcome: Promise<string>;
  startedAt: number[];
  controller: AbortController;
  recorded: ReturnType<typeof recordingLog>;
} {
  const controller = new AbortController();
  const recorded = recordingLog();
  const startedAt: number[] = [];
  const began = performance.now();
  const outcome = retry(
    (healthy) => {
      startedAt.push(Math.round(performance.now() - began));
      return operation(healthy, controller.signal);
    },
    { what, log: recorded.log, signal: controller.signal },
  );
  outcome.catch(() => undefined);
  return { outcome, startedAt, controller, recorded };
}

describe('retry', () => {
  test('answers what the operation answers, without a word', async () => {
    const { outcome, recorded } = start(failing(0));
    expect(await outcome).toBe('done');
    expect(recorded.lines).toEqual([]);
  });

  test('tries again with growing pauses until it works', async () => {
    const { outcome, startedAt } = start(failing(6));
    await until('the seventh attempt', () => startedAt.length === 7);
    expect(await outcome).toBe('done');
    expect(startedAt).toEqual([0, 100, 300, 700, 1_500, 3_100, 5_100]);
  });

  test('tells of a fault at its start and at its end, with the reason and the next try', async () => {
    const { outcome, recorded } = start(failing(3));
    await until('the end', () => recorded.messages().includes('works again'));
    await outcome;
    expect(recorded.lines).toMatchObject([
      { level: 'error', what, error: 'it broke', retryIn: '100ms', msg: 'failed; trying again until it works' },
      { level: 'debug', what, error: 'it broke', retryIn: '200ms', msg: 'failed again' },
      { level: 'debug', what, error: 'it broke', retryIn: '400ms', msg: 'failed again' },
      { level: 'info', what, afterMs: 700, msg: 'works again' },
    ]);
  });

  test('reminds of a fault that lasts, once a minute', async () => {
    const { controller, recorded } = start(failing(Infinity));
    await pass(190_000);
    controller.abort();
    const told = recorded.lines.filter(({ level }) => level === 'error');
    expect(told.map(({ msg }) => msg)).toEqual([
      'failed; trying again until it works',
      'still failing',
      'still failing',
      'still failing',
    ]);
    expect(Number(told[1]?.['forMs'])).toBeGreaterThan(60_000);
    expect(Number(told[1]?.['forMs'])).toBeLessThan(63_000);
  });

  test('never logs a stack', async () => {
    const { recorded, startedAt } = start(failing(2));
    await until('the end', () => startedAt.length === 3);
    expect(JSON.stringify(recorded.lines)).not.toMatch(/\bat .*\.(ts|js):\d+/);
  });

  test('starts with the shortest pause again after a stream was well for a while', async () => {
    const streams = [1_000, 1_000, 20_000, 1_000];
    const { startedAt, controller } = start(async (healthy) => {
      healthy();
      await new Promise((resolve) => setTimeout(resolve, streams.shift()));
      throw new Error('the stream broke');
    });
    await until('five attempts', () => startedAt.length === 5);
    controller.abort();
    const pauses = startedAt
      .slice(1)
      .map((at, index) => at - (startedAt[index] ?? 0) - ([1_000, 1_000, 20_000, 1_000][index] ?? 0));
    expect(pauses).toEqual([100, 200, 100, 200]);
  });

  test('ends with an AbortError when it is cancelled in a pause', async () => {
    const { outcome, startedAt, controller } = start(failing(Infinity));
    await until('a second attempt', () => startedAt.length === 2);
    controller.abort();
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
    await pass(60_000);
    expect(startedAt).toHaveLength(2);
  });

  test('takes a failure by cancellation for no fault', async () => {
    const { outcome, controller, recorded } = start(
      (_healthy, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('the connection was closed'));
          });
        }),
    );
    await settle();
    controller.abort();
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
    expect(recorded.lines).toEqual([]);
  });

  test('gives up at once on a wrong setting, which no waiting mends', async () => {
    const { outcome, startedAt } = start(() => Promise.reject(new SettingError('TEMPLATE is missing')));
    await expect(outcome).rejects.toThrow('TEMPLATE is missing');
    expect(startedAt).toEqual([0]);
  });
});
