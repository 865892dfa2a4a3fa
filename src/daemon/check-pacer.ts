import { kindsOf, meantNames, withKinds } from '../core/haproxy/check-kind.js';
import { basePace, checkLoadOf, paceOf, type CheckPace, type PaceBounds } from '../core/haproxy/check-pace.js';
import type { Listener } from '../core/haproxy/listener.js';

/** Decides when checks become rarer or more frequent, and when Docker's HEALTHCHECK stands in for those over HTTP. */
export interface CheckPacer {
  /**
   * The pace for these listeners; the same object until it is another.
   *
   * @param isLive what etcd says is known as it says it
   */
  paceFor(listeners: readonly Listener[], isLive: boolean): CheckPace;
  /** What was decided last. */
  current(): CheckPace;
  /** How many client hosts there are; null where nobody has told yet. */
  clientHosts(): number | null;
  /** How many were counted when the daemon last ran: until it is told now. */
  restore(counted: number | null): void;
  /** What is to be restored at the next start: a count, and nothing that was set. */
  counted(): number | null;
}

/**
 * A daemon that has just started decides at once: what it knows comes within the first moments, each with a reload of its
 * own reason.
 */
const startMs = 30_000;
/** All hosts of a fleet see the same endpoints, and their number of each other: they don't reload in one beat for it. */
const soonMs = 30_000;
/**
 * What made checks rarer may soon be back: client hosts that start anew, a deploy that has two of each endpoint for a while. And an
 * image without a HEALTHCHECK may come back in one that has it.
 */
const seldomMs = 600_000;
/** While etcd is away nobody can withdraw what Docker finds: so long that may be. Its restart, or an election, is over before. */
const awayMs = 30_000;

export function createCheckPacer({
  bounds,
  clientHosts,
  isCounted,
  isOurs,
  random = Math.random,
}: {
  readonly bounds: PaceBounds;
  readonly clientHosts: () => number | null;
  /** Their number is not set. */
  readonly isCounted: boolean;
  /** The proxy is ours, and checks by layer 4 what it does not check over HTTP; another one may make no such checks. */
  readonly isOurs: boolean;
  /** From 0 to 1. */
  readonly random?: () => number;
}): CheckPacer {
  let current = basePace;
  let restored: number | null = null;
  const known = (): number | null => clientHosts() ?? restored;
  /** Another pace has been right since a while, and is taken up at this time. */
  let due: { readonly isPressing: boolean; readonly atMs: number } | null = null;
  const startedAt = performance.now();
  /** When etcd's word was known last. */
  let liveAt = -Infinity;

  return {
    current: () => current,
    clientHosts: known,

    restore(saved) {
      if (isCounted) restored = saved;
    },

    counted: () => (isCounted ? known() : null),

    paceFor(listeners, isLive) {
      const now = performance.now();
      if (isLive) liveAt = now;
      const isObeyed = isOurs && now - liveAt <= awayMs;
      // A listener that comes back under its name begins as one that is new.
      current = withKinds(current, meantNames(listeners, current));
      const paced = paceOf(checkLoadOf(listeners, known() ?? 1), bounds, current);
      const { wanted, missed, isMore } = kindsOf(listeners, current, isObeyed);
      const isSlower = paced.tcpMs > current.tcpMs || paced.httpMs > current.httpMs;
      // HTTP checks that are missed are as pressing as checks that are too many; to make fewer of them, or more, is not.
      const isPressing = isSlower || missed.size > 0;
      if (!isPressing && !isMore && paced === current) {
        due = null;
        return current;
      }
      if (due?.isPressing !== isPressing)
        due = { isPressing, atMs: now + (isPressing ? soonMs * random() : seldomMs * (1 + random() / 10)) };
      const isStart = (isPressing || paced === current) && now - startedAt < startMs;
      if (!isStart && now < due.atMs) return current;
      if (isSlower || !isPressing)
        current = withKinds(paced, paced === current ? wanted : kindsOf(listeners, paced, isObeyed).wanted);
      else current = withKinds(current, new Set([...current.byDocker].filter((name) => !missed.has(name))));
      due = null;
      return current;
    },
  };
}
