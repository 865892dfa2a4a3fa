import { setTimeout as sleep } from 'node:timers/promises';

/** Of fewer keys a listing is done before it would be its turn. */
const leastKeys = 1_000;
/** A count of 20,000 keys takes etcd 4 ms, and a far network no more than this. */
const busyFromMs = 200;
/** Rests are as long as the answer took, times up to this: so many fewer ask at a time. */
const restTimes = 8;
const longestRestMs = 10_000;

/**
 * Waits until etcd has time for a listing. Where a thousand hosts begin at once, after a power cut say, each would have it list
 * everything in the same moment, which takes it longer than leases live and calls wait. How long it takes to count its keys tells how
 * busy it is: whoever waits long for that rests for a random time, and counts again.
 *
 * @param count how many keys there are
 * @param mostRests then it is begun, however busy etcd is
 */
export async function awaitTurn(count: () => Promise<number>, mostRests: number, signal: AbortSignal): Promise<void> {
  for (let rests = 0; rests < mostRests; rests += 1) {
    let tookMs = await busyMsOf(count);
    // The first call waits for the connection too, and for a member that is silent.
    if (tookMs > 0 && rests === 0) tookMs = await busyMsOf(count);
    if (tookMs === 0) return;
    await sleep(Math.min(longestRestMs, restTimes * tookMs) * Math.random(), undefined, { signal });
  }
}

/** How long etcd takes for the count; 0 where that is no reason to wait. */
async function busyMsOf(count: () => Promise<number>): Promise<number> {
  const askedAt = performance.now();
  const keys = await count();
  const tookMs = performance.now() - askedAt;
  return keys < leastKeys || tookMs < busyFromMs ? 0 : tookMs;
}
