/** What of a burst was told in the present minute. */
export interface LogQuota {
  readonly sinceMs: number;
  /** Lines about one thing each. */
  readonly singles: number;
  /** The others were told, as a number. */
  readonly summed: boolean;
}

/** What is to be told now; the rest waits. */
export interface LogShare {
  readonly singles: number;
  readonly summed: number;
  readonly quota: LogQuota;
}

const mostSingles = 20;
const windowMs = 60_000;

export const unusedQuota: LogQuota = { sinceMs: -Infinity, singles: 0, summed: false };

/**
 * How much of what is pending is told one by one, and how much as a number: 20 lines and one number in a minute. While a
 * burst goes on, the minutes that follow have a number each, and nothing else.
 *
 * @param whole tell all one by one, or all as a number
 */
export function logShareOf(
  before: LogQuota,
  { pending, whole, nowMs }: { pending: number; whole: boolean; nowMs: number },
): LogShare {
  const quota = renewed(before, pending, nowMs);
  const left = mostSingles - quota.singles;
  const singles = whole && pending > left ? 0 : Math.min(pending, left);
  const summed = quota.summed ? 0 : pending - singles;
  return {
    singles,
    summed,
    quota: { ...quota, singles: quota.singles + singles, summed: quota.summed || summed > 0 },
  };
}

function renewed(quota: LogQuota, pending: number, nowMs: number): LogQuota {
  if (nowMs - quota.sinceMs < windowMs) return quota;
  return { sinceMs: nowMs, singles: quota.summed && pending > 0 ? mostSingles : 0, summed: false };
}
