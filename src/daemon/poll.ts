import { setTimeout as sleep } from 'node:timers/promises';
import type { Fingerprint, Registry } from '../ports/registry.js';

/** How often the poll looks again before it doubts the watch: a change may be under way to us. */
const looks = 3;
const lookPauseMs = 200;
/** A watch that tells something all the time can't be compared with one moment of etcd; so many polls believe it. */
const believedPolls = 12;

export interface PollOptions {
  readonly registry: Pick<Registry, 'fingerprint'>;
  /** What stands in etcd, as far as it is known. */
  readonly known: ReadonlyMap<string, { readonly modRevision: number }>;
  /** Up to which the watch has told. */
  readonly revision: () => number;
}

/** One poll beside the watch. @throws PollDiffersError where etcd has what the watch did not tell */
export function createPoll({ registry, known, revision }: PollOptions): (signal: AbortSignal) => Promise<void> {
  const agrees = ({ count, latest }: Fingerprint): boolean => {
    let ours = 0;
    for (const { modRevision } of known.values()) ours = Math.max(ours, modRevision);
    return known.size === count && ours === latest;
  };

  let believed = 0;
  return async (signal) => {
    const before = revision();
    for (let look = 0; look < looks; look += 1) {
      if (agrees(await registry.fingerprint(signal))) {
        believed = 0;
        return;
      }
      await sleep(lookPauseMs, undefined, { signal });
    }
    believed += 1;
    if (revision() !== before && believed < believedPolls) return;
    believed = 0;
    throw new PollDiffersError('the poll found what the watch did not tell; listing anew');
  };
}

class PollDiffersError extends Error {
  override readonly name = 'PollDiffersError';
}
