import { basePace, checkLoadOf, paceOf, type CheckPace, type PaceBounds } from '../core/haproxy/check-pace.js';
import type { Listener } from '../core/haproxy/listener.js';

/** Decides when checks become rarer or more frequent. */
export interface CheckPacer {
  /** The pace for these listeners; the same object until it is another. */
  paceFor(listeners: readonly Listener[]): CheckPace;
  /** What was decided last. */
  current(): CheckPace;
  /** How many client hosts there are; null where nobody has told yet. */
  clientHosts(): number | null;
}

/**
 * A daemon that has just started decides at once: what it knows comes within the first moments, each with a reload of its
 * own reason.
 */
const startMs = 30_000;
/** All hosts of a fleet see the same endpoints, and their number of each other: they don't reload in one beat for it. */
const slowerWithinMs = 30_000;
/** What made checks rarer may soon be back: client hosts that start anew, a deploy that has two of each endpoint for a while. */
const fasterAfterMs = 600_000;

export function createCheckPacer({
  bounds,
  clientHosts,
  random = Math.random,
}: {
  readonly bounds: PaceBounds;
  readonly clientHosts: () => number | null;
  /** From 0 to 1. */
  readonly random?: () => number;
}): CheckPacer {
  let current = basePace;
  /** Another pace has been right since a while, and is taken up at this time. */
  let due: { readonly isSlower: boolean; readonly atMs: number } | null = null;
  const startedAt = performance.now();

  return {
    current: () => current,
    clientHosts,

    paceFor(listeners) {
      const wanted = paceOf(checkLoadOf(listeners, clientHosts() ?? 1), bounds, current);
      const now = performance.now();
      if (wanted === current) {
        due = null;
        return current;
      }
      const isSlower = wanted.tcpMs > current.tcpMs || wanted.httpMs > current.httpMs;
      if (due?.isSlower !== isSlower)
        due = { isSlower, atMs: now + (isSlower ? slowerWithinMs * random() : fasterAfterMs * (1 + random() / 10)) };
      const isStart = isSlower && now - startedAt < startMs;
      if (!isStart && now < due.atMs) return current;
      current = wanted;
      due = null;
      return current;
    },
  };
}
