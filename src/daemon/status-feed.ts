import { setTimeout as sleep } from 'node:timers/promises';
import type { PageUpdate } from '../core/page-update.js';
import { pagePartsOf, pageUpdateOf, type PageInput, type PageParts } from '../core/status-page.js';
import type { Logger } from '../ports/log.js';
import { every, runTasks } from './lifecycle.js';
import { retry } from './retry.js';

export interface StatusFeedOptions {
  readonly about: PageInput['about'];
  /** Asks HAProxy. */
  readonly look: (signal: AbortSignal) => Promise<Pick<PageInput, 'status' | 'problems'>>;
  readonly log: Logger;
}

/** How it is, for those who look on. HAProxy is asked only while there is one, once for all of them. */
export interface StatusFeed {
  /**
   * Everything, then what changed, and a word without news when there was none for a while; until `signal` fires. Who takes
   * the next one late is told then what it missed, and nothing is kept for it.
   */
  follow(signal: AbortSignal): AsyncGenerator<PageUpdate, void, undefined>;
  /** There are as many viewers as there may be. */
  isFull(): boolean;
  run(signal: AbortSignal): Promise<void>;
}

const lookEveryMs = 1_000;
/** A viewer that heard nothing for several of these has lost us. */
const heartbeatMs = 5_000;
const mostViewers = 40;

export function createStatusFeed({ about, look, log }: StatusFeedOptions): StatusFeed {
  let viewers = 0;
  /** What was seen last; null where nobody looked on of late. */
  let seen: PageParts | null = null;
  const waiting = new Set<() => void>();

  /** Until something may be new, or `signal` fires. */
  const news = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });

  const wakeAll = (): void => {
    for (const wake of waiting) wake();
  };

  const lookOn = async (healthy: () => void, signal: AbortSignal): Promise<void> => {
    for (;;) {
      while (viewers === 0) {
        seen = null;
        await news(signal);
        signal.throwIfAborted();
      }
      const found = await look(signal);
      healthy();
      seen = pagePartsOf({ about, ...found, nowMs: Date.now() }, seen);
      wakeAll();
      await sleep(lookEveryMs, undefined, { signal });
    }
  };

  return {
    isFull: () => viewers >= mostViewers,

    async *follow(signal) {
      viewers += 1;
      wakeAll();
      try {
        let told: PageParts | null = null;
        let toldAt = Date.now();
        while (!signal.aborted) {
          const now = Date.now();
          const latest = seen;
          const update = latest === null ? null : pageUpdateOf(told, latest, now);
          told = latest;
          if (update !== null) {
            toldAt = now;
            yield update;
          } else if (now - toldAt >= heartbeatMs) {
            toldAt = now;
            yield { nowMs: now, isWhole: false };
          }
          // What came while this one was written is told at once.
          if (seen === latest) await news(signal);
        }
      } finally {
        viewers -= 1;
      }
    },

    run: (signal) =>
      runTasks(
        [
          (both) =>
            retry((healthy) => lookOn(healthy, both), { what: 'looking for the status page', log, signal: both }),
          // Also while HAProxy hangs, and no look comes to an end.
          (both) => every(heartbeatMs, wakeAll, both),
        ],
        signal,
      ),
  };
}
