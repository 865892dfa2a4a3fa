import type { Registry } from '../ports/registry.js';

/** Questions under way at once: nothing waits for the answers, and a fleet asks at the same moment. */
const concurrency = 4;
/** Where more leases have gone, a tenth of all hosts say, one question tells of most of them. */
const fewLeases = 4;

export interface LeaseAnswers {
  /** By id, for each of which etcd told. */
  readonly lives: ReadonlyMap<string, boolean>;
  /** Why it did not tell of the others; null where it told of all. */
  readonly failure: { readonly error: unknown } | null;
}

export interface LeaseQuestions {
  readonly registry: Pick<Registry, 'leaseTime' | 'livingLeases'>;
  /** Of etcd, up to which is known what went. */
  readonly revision: number;
  /** A key that stands hangs on it; one that ends takes all its keys at one revision, so it lives, and etcd need not be asked. */
  readonly isHeld: (lease: string) => boolean;
}

/** Asks etcd which leases live. */
export async function askOfLeases(
  leases: ReadonlySet<string>,
  { registry, revision, isHeld }: LeaseQuestions,
  signal: AbortSignal,
): Promise<LeaseAnswers> {
  const lives = new Map<string, boolean>();
  const asked: string[] = [];
  for (const lease of leases) {
    if (lease === '0') lives.set(lease, false);
    else if (isHeld(lease)) lives.set(lease, true);
    else asked.push(lease);
  }
  try {
    const among = asked.length > fewLeases ? await registry.livingLeases(revision, signal) : null;
    const worker = async (): Promise<void> => {
      for (let lease = asked.shift(); lease !== undefined; lease = asked.shift()) {
        // Of one that has run out, a follower may tell before the leader has forgotten it.
        const isThere = among === null || among.has(lease);
        lives.set(lease, isThere && ((await registry.leaseTime(lease, signal))?.remainingMs ?? 0) > 0);
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: concurrency }, worker));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } catch (error) {
    signal.throwIfAborted();
    return { lives, failure: { error } };
  }
  return { lives, failure: null };
}
