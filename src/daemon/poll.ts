import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '../ports/registry.js';
import type { KnownKeys } from './known-keys.js';

/** How often the poll looks again before it doubts the watch: a change may be under way to us. */
const looks = 3;
const lookPauseMs = 200;
/** A watch that tells something all the time can't be compared with one moment of etcd; so many polls believe it. */
const believedPolls = 12;
/**
 * Mostly the number of keys is compared, and in this time, or half of it, once what they say. The fleet's polls of one beat
 * would be etcd's heaviest load otherwise: 19 ms for 10,000 keys, where their number takes 4 ms (`npm run bench:scale -- polls`).
 */
const wholeLookMs = 60_000;

export interface PollOptions {
  readonly registry: Pick<Registry, 'countKeys' | 'fingerprint'>;
  readonly known: Pick<KnownKeys, 'agrees' | 'revision' | 'standing'>;
}

/** One poll beside the watch. @throws PollDiffersError where etcd has what the watch did not tell */
export function createPoll({ registry, known }: PollOptions): (signal: AbortSignal) => Promise<void> {
  const nextWholeLook = (): number => performance.now() + wholeLookMs * (0.5 + Math.random() / 2);
  let wholeLookAt = nextWholeLook();
  const agrees = async (signal: AbortSignal): Promise<boolean> => {
    if (performance.now() < wholeLookAt) return known.standing() === (await registry.countKeys(signal));
    const isSo = known.agrees(await registry.fingerprint(signal));
    if (isSo) wholeLookAt = nextWholeLook();
    return isSo;
  };

  let believed = 0;
  return async (signal) => {
    const before = known.revision();
    for (let look = 0; look < looks; look += 1) {
      if (await agrees(signal)) {
        believed = 0;
        return;
      }
      await sleep(lookPauseMs, undefined, { signal });
    }
    believed += 1;
    if (known.revision() !== before && believed < believedPolls) return;
    believed = 0;
    throw new PollDiffersError('the poll found what the watch did not tell; listing anew');
  };
}

class PollDiffersError extends Error {
  override readonly name = 'PollDiffersError';
}
