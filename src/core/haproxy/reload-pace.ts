/**
 * A reload begins all checks anew: the first comes within 5 s (`max-spread-checks`), and what is frozen fails the second 4.5 s later
 * (`timeout check`, twice, half a second between).
 */
const untilFoundMs = 10_000;
/** So long reloads may come faster than that. */
const hastyMs = 30_000;

/** When the next reload may begin. */
export interface ReloadPace {
  /**
   * One has ended.
   *
   * @param nowMs from a monotonic clock
   * @param random from 0 to 1
   * @returns when the next may begin, on the same clock
   */
  reloaded(nowMs: number, random: number): number;
}

/**
 * Reloads keep a distance. Where they have come for half a minute with too little of it for checks to find what is frozen, the
 * next one waits until they could: else nothing would be found while listeners come and go.
 *
 * @param intervalMs least time between two
 */
export function createReloadPace(intervalMs: number): ReloadPace {
  let lastAt = -Infinity;
  /** Since then no two were far enough from each other. */
  let hastySince = -Infinity;
  return {
    reloaded(nowMs, random) {
      if (nowMs - lastAt >= untilFoundMs) hastySince = nowMs;
      lastAt = nowMs;
      const pauseMs = nowMs - hastySince >= hastyMs ? Math.max(intervalMs, untilFoundMs) : intervalMs;
      // A little apart, so that a fleet does not reload in one beat.
      return nowMs + pauseMs * (1 + random / 5);
    },
  };
}
