import { setTimeout as sleep } from 'node:timers/promises';
import { isAbort } from '../core/errors.js';
import type { Logger } from '../ports/log.js';
import { retry } from './retry.js';

/** How long to gather triggers: until none came for `leastMs`, but no longer than `mostMs` after the first. */
export interface QuietPeriod {
  readonly leastMs: number;
  readonly mostMs: number;
}

export interface ReconcileLoop {
  /** Something may have changed. Cheap, never throws, may be called from any callback. */
  trigger(reason: string): void;
  /**
   * Runs `reconcile` after triggers, one at a time; a failure is tried again until it works. Resolves when `signal`
   * fires.
   *
   * @param reconcile looks at everything that is and should be, and acts; `reasons` are for its log
   */
  run(reconcile: (reasons: readonly string[]) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export function createReconcileLoop({
  quiet,
  what,
  log,
}: {
  quiet: QuietPeriod;
  what: string;
  log: Logger;
}): ReconcileLoop {
  const reasons = new Set<string>();
  let firstAt = 0;
  let lastAt = 0;
  let wake = (): void => undefined;

  const dirty = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (reasons.size > 0 || signal.aborted) {
        resolve();
        return;
      }
      wake = () => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
    });

  const gather = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      const now = performance.now();
      const waitMs = Math.min(lastAt + quiet.leastMs, firstAt + quiet.mostMs) - now;
      if (waitMs <= 0) return;
      await sleep(waitMs, undefined, { signal });
    }
  };

  const rounds = async (reconcile: Parameters<ReconcileLoop['run']>[0], signal: AbortSignal): Promise<void> => {
    for (;;) {
      await dirty(signal);
      if (signal.aborted) return;
      const taken = new Set<string>();
      await gather(signal);
      // What comes in while it fails is part of the next attempt: it looks at everything anyway.
      const attempt = async (): Promise<void> => {
        for (const reason of reasons) taken.add(reason);
        reasons.clear();
        await reconcile([...taken]);
      };
      await retry(attempt, { what, log, signal });
    }
  };

  return {
    trigger(reason) {
      lastAt = performance.now();
      if (reasons.size === 0) firstAt = lastAt;
      reasons.add(reason);
      wake();
    },

    async run(reconcile, signal) {
      try {
        await rounds(reconcile, signal);
      } catch (error) {
        if (!(signal.aborted && isAbort(error))) throw error;
      }
    },
  };
}
