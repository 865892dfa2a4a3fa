import { setTimeout as sleep } from 'node:timers/promises';
import { isAbort } from '../core/errors.js';

export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * Runs tasks side by side until `signal` fires. When one fails, the others are cancelled and awaited, and its error is
 * thrown; cancellation itself is no error.
 */
export async function runTasks(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const outcomes = await Promise.allSettled(
    tasks.map(async (task) => {
      try {
        await task(both);
      } catch (error) {
        if (isAbort(error) && both.aborted) return;
        failed.abort();
        throw error;
      }
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Calls `tick` every `intervalMs` until `signal` fires, the first time after one interval. */
export async function every(intervalMs: number, tick: () => void | Promise<void>, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(intervalMs, undefined, { signal });
    await tick();
  }
}
