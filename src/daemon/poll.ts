import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '../ports/registry.js';
import type { KnownKeys } from './known-keys.js';

/** How often the poll looks again before it doubts the watch: a change may be under way to us. */
const looks = 3;
const lookPauseMs = 200;
/** A watch that tells something all the time can't be compared with one moment of etcd; so many polls believe it. */
const believedPolls = 12;
/**
 * Each poll asks for etcd's revision, and for the number of keys where the watch did not tell of that revision, or has told of
 * something since they were counted; in this time, or half of it, once for what they say. The polls of a fleet would be
 * etcd's heaviest load otherwise: of 10,000 keys, what they say takes it 14 ms, their number 2 ms, the revision next to
 * nothing (`npm run bench:scale -- polls`).
 */
const wholeLookMs = 60_000;
/** The more there are, the rarer. */
const wholeLookMsPerKey = 30;
const countMsPerKey = 2;

export interface PollOptions {
  readonly registry: Pick<Registry, 'revision' | 'countKeys' | 'fingerprint'>;
  readonly known: Pick<KnownKeys, 'agrees' | 'revision' | 'standing'>;
}

/** One poll beside the watch. @throws PollDiffersError where etcd has what the watch did not tell */
export function createPoll({ registry, known }: PollOptions): (signal: AbortSignal) => Promise<void> {
  const nextWholeLook = (): number =>
    performance.now() + Math.max(wholeLookMs, known.standing() * wholeLookMsPerKey) * (0.5 + Math.random() / 2);
  let wholeLookAt = nextWholeLook();
  /** The revision that the watch had told when the number of keys was right. */
  let countedAt = -1;
  let countAt = 0;
  const agreesWholly = async (signal: AbortSignal): Promise<boolean> => {
    const isSo = known.agrees(await registry.fingerprint(signal));
    if (isSo) wholeLookAt = nextWholeLook();
    return isSo;
  };
  const agrees = async (signal: AbortSignal): Promise<boolean> => {
    if (performance.now() >= wholeLookAt) return agreesWholly(signal);
    const before = known.revision();
    const revision = await registry.revision(signal);
    const told = known.revision();
    // Of a member that lags, or of an etcd that has lost its data, whose keys may be as many as before.
    if (revision < before) return agreesWholly(signal);
    // A later one may be of other keys.
    const isQuiet = revision <= told && told === countedAt;
    if (isQuiet || performance.now() < countAt) return true;
    if (known.standing() !== (await registry.countKeys(signal))) return false;
    [countedAt, countAt] = [told, performance.now() + known.standing() * countMsPerKey];
    return true;
  };

  let believed = 0;
  return async (signal) => {
    const before = known.revision();
    for (let look = 0; look < looks; look += 1) {
      // A member may lag: what differs is asked once more of all of them.
      if (await (look === 0 ? agrees(signal) : agreesWholly(signal))) {
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

export class PollDiffersError extends Error {
  override readonly name = 'PollDiffersError';
}
