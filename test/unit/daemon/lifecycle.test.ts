import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { every, runTasks, type Task } from '../../../src/daemon/lifecycle.js';
import { abortable, deferred } from '../support/deferred.js';
import { pass } from '../support/time.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs until it is cancelled, then notes its end. */
function lasting(ends: string[], name: string): Task {
  return async (signal) => {
    try {
      await abortable(new Promise(() => undefined), signal);
    } finally {
      ends.push(name);
    }
  };
}

describe('tasks side by side', () => {
  test('end without an error when they are cancelled', async () => {
    const ends: string[] = [];
    const controller = new AbortController();
    const run = runTasks([lasting(ends, 'a'), lasting(ends, 'b')], controller.signal);
    controller.abort();
    await run;
    expect(ends.sort()).toEqual(['a', 'b']);
  });

  test('end together when one fails, and its error is thrown', async () => {
    const ends: string[] = [];
    const run = runTasks(
      [lasting(ends, 'a'), () => Promise.reject(new Error('it broke')), lasting(ends, 'b')],
      new AbortController().signal,
    );
    await expect(run).rejects.toThrow('it broke');
    expect(ends.sort()).toEqual(['a', 'b']);
  });

  test('are awaited to their ends before the error is thrown', async () => {
    const cleaned = deferred();
    const order: string[] = [];
    const run = runTasks(
      [
        () => Promise.reject(new Error('it broke')),
        async () => {
          await cleaned.promise;
          order.push('cleaned');
        },
      ],
      new AbortController().signal,
    ).catch(() => order.push('thrown'));
    cleaned.resolve();
    await run;
    expect(order).toEqual(['cleaned', 'thrown']);
  });

  test('go on when one of them is done', async () => {
    const ends: string[] = [];
    const controller = new AbortController();
    const run = runTasks([() => Promise.resolve(), lasting(ends, 'a')], controller.signal);
    await pass(1_000);
    expect(ends).toEqual([]);
    controller.abort();
    await run;
  });

  test('do not hide an AbortError that nobody asked for', async () => {
    const stray = (): Promise<void> => Promise.reject(new DOMException('a call was aborted', 'AbortError'));
    await expect(runTasks([stray], new AbortController().signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('every', () => {
  test('ticks once an interval, the first time after one', async () => {
    const controller = new AbortController();
    const tick = vi.fn();
    const run = every(1_000, tick, controller.signal);
    await pass(999);
    expect(tick).not.toHaveBeenCalled();
    await pass(2_001);
    expect(tick).toHaveBeenCalledTimes(3);
    controller.abort();
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
    await pass(5_000);
    expect(tick).toHaveBeenCalledTimes(3);
  });

  test('waits for a tick that takes its time', async () => {
    const controller = new AbortController();
    const first = deferred();
    const tick = vi.fn(() => first.promise);
    const run = every(1_000, tick, controller.signal);
    run.catch(() => undefined);
    await pass(5_000);
    expect(tick).toHaveBeenCalledTimes(1);
    first.resolve();
    await pass(1_000);
    expect(tick).toHaveBeenCalledTimes(2);
    controller.abort();
  });

  test('fails with the tick', async () => {
    const run = every(1_000, () => Promise.reject(new Error('it broke')), new AbortController().signal);
    const outcome = expect(run).rejects.toThrow('it broke');
    await pass(1_000);
    await outcome;
  });
});
