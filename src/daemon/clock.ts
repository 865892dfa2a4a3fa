/**
 * Milliseconds since 1970 by a clock that only runs forward: a step of the machine's clock, by an hour or by a second, is
 * seen at the next start of the daemon only. For times that outlive it on disk.
 */
export function steadyNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Seconds since a time that another clock told; one that is ahead of ours has none of them. */
export function secondsSince(atMs: number): number {
  return Math.max(0, Date.now() - atMs) / 1000;
}
