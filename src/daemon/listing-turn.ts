import { setTimeout as sleep } from 'node:timers/promises';
import { DeniedError, type Registry } from '../ports/registry.js';

/** etcd answers the question within a millisecond; there is no network between hosts that takes so long. */
const busyFromMs = 400;
/** Rests are as long as the answer took, times up to this: so many fewer ask at a time. */
const restTimes = 8;
const longestRestMs = 10_000;
/** So many make a fleet, of which all may ask at once. */
const manyKeys = 1_000;

/** When it is the turn of this host to list. */
export interface ListingTurn {
  /**
   * Waits until etcd has time for a listing.
   *
   * @param known how many keys there are, as far as is known from before
   * @throws what was asked was not answered; after a rest where etcd had answered before, or there are many keys: one that has too much
   *   to do must not be asked again at once. One that refuses at once is left to the listing, which tells.
   */
  wait(known: number, signal: AbortSignal): Promise<void>;
}

/**
 * Where a thousand hosts begin at once, after a power cut say, each would have etcd list everything in the same moment, which takes it
 * longer than leases live and calls wait. How long it takes to answer a question that costs it nothing tells how busy it is: whoever
 * waits long for that rests for a random time, and asks again. (To count the keys first would spare who has few the rest; but it takes
 * etcd 4 ms for 20,000, and a thousand such questions are more than it has time for then.)
 *
 * @param mostRests after so many answers that came late a listing is begun, however busy etcd is
 */
export function createListingTurn({
  registry,
  mostRests,
}: {
  readonly registry: Pick<Registry, 'revision'>;
  readonly mostRests: number;
}): ListingTurn {
  const msOfQuestion = async (signal: AbortSignal): Promise<number> => {
    const askedAt = performance.now();
    await registry.revision(signal);
    return performance.now() - askedAt;
  };

  const rest = async (tookMs: number, signal: AbortSignal): Promise<void> => {
    await sleep(Math.min(longestRestMs, restTimes * tookMs) * Math.random(), undefined, { signal });
  };

  return {
    async wait(known, signal) {
      let isThere = known >= manyKeys;
      for (let rests = 0; rests < mostRests; rests += 1) {
        const startedAt = performance.now();
        let tookMs: number;
        try {
          tookMs = await msOfQuestion(signal);
          isThere = true;
          // The first call waits for the connection too, and for a member that is silent.
          if (rests === 0 && tookMs >= busyFromMs) tookMs = await msOfQuestion(signal);
        } catch (error) {
          signal.throwIfAborted();
          const lostMs = performance.now() - startedAt;
          if (lostMs < busyFromMs) return;
          if (isThere && !(error instanceof DeniedError)) await rest(lostMs, signal);
          throw error;
        }
        if (tookMs < busyFromMs) return;
        await rest(tookMs, signal);
      }
    },
  };
}
