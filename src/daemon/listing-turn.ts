import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '../ports/registry.js';

/** Of fewer keys a listing is done before it would be its turn. */
const leastKeys = 1_000;
/** etcd answers the question within a millisecond, and over a far network within no more than this. */
const busyFromMs = 200;
/** Rests are as long as the answer took, times up to this: so many fewer ask at a time. */
const restTimes = 8;
const longestRestMs = 10_000;

export interface Turn {
  readonly registry: Pick<Registry, 'revision' | 'countKeys'>;
  /** How many keys there are, as far as is known from before; null: etcd is asked, where it matters. */
  readonly expected: number | null;
  /** After so many it is begun, however busy etcd is. */
  readonly mostRests: number;
}

/**
 * Waits until etcd has time for a listing. Where a thousand hosts begin at once, after a power cut say, each would have it list
 * everything in the same moment, which takes it longer than leases live and calls wait. How long it takes to answer a question that
 * costs it nothing tells how busy it is: whoever waits long for that rests for a random time, and asks again.
 *
 * @throws what was asked was not answered, after a rest where there are many keys: an etcd that has too much to do is not asked again
 *   at once. One that refuses at once is left to the listing, which tells.
 */
export async function awaitTurn({ registry, expected, mostRests }: Turn, signal: AbortSignal): Promise<void> {
  let keys = expected;
  for (let rests = 0; rests < mostRests && (keys ?? leastKeys) >= leastKeys; rests += 1) {
    let { tookMs, error } = await ask(registry, signal);
    // The first call waits for the connection too, and for a member that is silent.
    if (rests === 0 && tookMs >= busyFromMs && error === null) ({ tookMs, error } = await ask(registry, signal));
    if (tookMs < busyFromMs) return;
    if (error === null) keys ??= await registry.countKeys(signal);
    if (keys !== null && keys >= leastKeys)
      await sleep(Math.min(longestRestMs, restTimes * tookMs) * Math.random(), undefined, { signal });
    if (error !== null) throw error;
  }
}

interface Answer {
  readonly tookMs: number;
  /** It did not come. */
  readonly error: Error | null;
}

async function ask(registry: Pick<Registry, 'revision'>, signal: AbortSignal): Promise<Answer> {
  const askedAt = performance.now();
  const error = await registry.revision(signal).then(
    () => null,
    (failure: unknown) => (failure instanceof Error ? failure : new Error(String(failure))),
  );
  signal.throwIfAborted();
  return { tookMs: performance.now() - askedAt, error };
}
