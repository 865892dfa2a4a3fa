export interface Backoff {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Short enough at its cap that a daemon is back within two seconds of what it waits for. */
export const defaultBackoff: Backoff = { leastMs: 100, mostMs: 2_000 };

/**
 * The pause before retry number `attempt` (from 0): doubles from `leastMs` to the cap `mostMs`, then jittered down by up
 * to half, so that a fleet does not come back in one beat.
 *
 * @param random a number in [0, 1)
 */
export function pauseMsOf(attempt: number, random: number, backoff: Backoff = defaultBackoff): number {
  const ceilingMs = Math.min(backoff.mostMs, backoff.leastMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceilingMs * (1 - random / 2));
}
