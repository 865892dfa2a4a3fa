import { pauseMsOf } from '../core/backoff.js';
import type { Logger } from '../ports/log.js';
import { createLastingFault } from './lasting.js';

/** A HAProxy that ran this long was well: it is started again at once. */
const wellAfterMs = 10_000;

/** When to start a HAProxy that ended: at once, and with growing pauses when it ends soon after each start. */
export interface Restarts {
  /** It runs. To be told after each start, and now and then. */
  running(): void;
  /** It does not run. @returns how long to wait before the next start, ms; 0 or less: not at all */
  waitMs(): number;
  /** It ended soon after its last start, and has not run for long since. */
  isLooping(): boolean;
}

export function createRestarts(log: Logger): Restarts {
  let startedAt: number | null = null;
  /** In a row, each soon after the start. */
  let endings = 0;
  let dueAt = 0;
  const fault = createLastingFault(
    {
      fault: 'HAProxy ends soon after each start; it is started again with growing pauses',
      end: 'HAProxy stays up again',
    },
    log,
  );
  return {
    running() {
      const now = performance.now();
      startedAt ??= now;
      if (now - startedAt < wellAfterMs) return;
      endings = 0;
      fault.tell(null);
    },

    waitMs() {
      const now = performance.now();
      if (startedAt !== null) {
        endings = now - startedAt < wellAfterMs ? endings + 1 : 1;
        startedAt = null;
        dueAt = endings === 1 ? now : now + pauseMsOf(endings - 2, Math.random());
        if (endings > 1) fault.tell({ endings });
      }
      return dueAt - now;
    },

    isLooping: () => endings > 1,
  };
}
