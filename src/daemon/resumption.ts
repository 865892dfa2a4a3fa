import { PollDiffersError } from './poll.js';

/** With fewer keys a listing costs etcd no more than what a client host would ask in its place. */
const leastKeys = 1_000;
/** A moment in which no etcd loses its data, is filled anew and comes past the revision that we know. */
const mostMs = 30_000;
/** One that ended sooner may have ended for what it went on from: compacted by then, say. */
const wellAfterMs = 10_000;

/**
 * Whether a watch that ended may be gone on with from the revision that it had told, without a listing. When a member of etcd
 * ends, all client hosts that watched by it would list everything at once, which it takes etcd longer to answer than what ended
 * the watch.
 */
export interface Resumption {
  /** @param standing how many keys there are */
  isAllowed(standing: number): boolean;
  /** The watch is followed. */
  began(how: 'listed' | 'resumed'): void;
  ended(error: unknown): void;
}

export function createResumption(): Resumption {
  let lostAt: number | null = null;
  let began: { readonly how: 'listed' | 'resumed'; readonly at: number } | null = null;
  return {
    isAllowed: (standing) => standing >= leastKeys && lostAt !== null && performance.now() - lostAt < mostMs,
    began(how) {
      began = { how, at: performance.now() };
      lostAt = null;
    },
    ended(error) {
      if (began === null) return;
      const now = performance.now();
      const isOfNoUse = began.how === 'resumed' && now - began.at < wellAfterMs;
      lostAt = isOfNoUse || error instanceof PollDiffersError ? null : now;
      began = null;
    },
  };
}
