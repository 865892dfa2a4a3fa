import { compareText, type Problem } from './catalog.js';
import { printableKey } from './keyspace.js';
import { leaseText } from './lease.js';
import type { DiscoverLimits } from './limits.js';
import { createOldest, type Aged, type Oldest } from './oldest.js';

/** A key with the lease on which it hangs; `0` where it hangs on none. */
export interface LeasedKey extends Aged {
  readonly lease: string;
}

/**
 * Which keys are taken: of each lease its oldest, and of those together the oldest. So whoever goes mad costs only what is
 * its own. Of the others nothing is kept but their number, and one of them to tell of.
 */
export interface KeyAdmission {
  /** A key that stands, and that etcd did not have before. */
  add(key: LeasedKey): Verdict;
  /** A key that etcd had before was put again. */
  alter(key: LeasedKey): Verdict;
  /** etcd has it no more. */
  delete(key: string): void;
  /** All that stand in etcd, the ones that are left out too. */
  readonly standing: number;
  /** A key that is taken hangs on this lease. */
  isHeld(lease: string): boolean;
  /** By the limit. The sum is true at any time; which limit, and whose lease, is as it was told last. */
  leftOut(): Readonly<Record<'keys' | 'keysPerLease', number>>;
  /** One for each lease, and for the limit of all; sorted by key, the same object until it changes. */
  problems(): readonly Problem[];
  /** There is room, or may be, for some that were left out: a listing tells which. */
  readonly hasRoom: boolean;
}

export interface Verdict {
  readonly isTaken: boolean;
  /** Keys that gave way to it; itself, where it was taken before. */
  readonly out: readonly string[];
}

/** What was left out, and the last of it. */
interface LeftOut {
  count: number;
  example: string;
}

/** The same for every listing that leaves nothing out. */
const noProblems: readonly Problem[] = [];
const asBefore: Verdict = { isTaken: true, out: [] };

export function createKeyAdmission(limits: Pick<DiscoverLimits, 'keys' | 'keysPerLease'>): KeyAdmission {
  const taken = createOldest<LeasedKey>(limits.keys);
  const leases = new Map<string, Oldest<LeasedKey>>();
  const outByLease = new Map<string, LeftOut>();
  const outOfAll: LeftOut = { count: 0, example: '' };
  let standing = 0;
  let hasRoom = false;
  let list: readonly Problem[] | null = noProblems;

  const forgetOfLease = ({ key, lease }: LeasedKey): void => {
    const own = leases.get(lease);
    own?.delete(key);
    if (own?.size === 0) leases.delete(lease);
  };
  const note = (leftOut: LeftOut, { key }: LeasedKey): void => {
    leftOut.count += 1;
    leftOut.example = key;
    list = null;
  };
  const outOf = (lease: string): LeftOut => {
    const leftOut = outByLease.get(lease) ?? { count: 0, example: '' };
    outByLease.set(lease, leftOut);
    return leftOut;
  };
  const settle = (): void => {
    if (standing > taken.size) return;
    hasRoom = false;
    if (outByLease.size === 0 && outOfAll.count === 0) return;
    outByLease.clear();
    outOfAll.count = 0;
    list = null;
  };
  const release = (key: LeasedKey): void => {
    if (outOfAll.count > 0 || outByLease.has(key.lease)) hasRoom = true;
    taken.delete(key.key);
    forgetOfLease(key);
    // Most likely the lease has ended.
    if (!leases.has(key.lease) && outByLease.delete(key.lease)) list = null;
  };

  /** @param isNew it was not counted yet */
  const offer = (key: LeasedKey, isNew: boolean): Verdict => {
    const before = taken.get(key.key);
    if (before?.lease === key.lease && before.createRevision === key.createRevision) return asBefore;
    if (before !== undefined) release(before);
    const lease = leases.get(key.lease) ?? createOldest<LeasedKey>(limits.keysPerLease);
    leases.set(key.lease, lease);
    const out: LeasedKey[] = [];
    const ofLease = lease.offer(key);
    if (ofLease !== null) {
      if (ofLease !== key || isNew || before !== undefined) note(outOf(key.lease), ofLease);
      taken.delete(ofLease.key);
      if (ofLease !== key || before !== undefined) out.push(ofLease);
    }
    if (ofLease !== key) {
      const ofAll = taken.offer(key);
      if (ofAll !== null) {
        if (ofAll !== key || isNew || before !== undefined) note(outOfAll, ofAll);
        forgetOfLease(ofAll);
        if (ofAll !== key || before !== undefined) out.push(ofAll);
      }
    }
    return { isTaken: taken.get(key.key) === key, out: out.map((one) => one.key) };
  };

  return {
    add(entry) {
      standing += 1;
      return offer(leasedKeyOf(entry), true);
    },
    alter(entry) {
      const wasTaken = taken.get(entry.key) !== undefined;
      const verdict = offer(leasedKeyOf(entry), false);
      // It was counted where it was left out.
      if (verdict.isTaken && !wasTaken) hasRoom = true;
      settle();
      return verdict;
    },
    delete(key) {
      standing -= 1;
      const there = taken.get(key);
      if (there !== undefined) release(there);
      else hasRoom = true;
      settle();
    },
    get standing() {
      return standing;
    },
    isHeld: (lease) => leases.has(lease),
    leftOut() {
      const all = Math.max(0, standing - taken.size);
      const keys = Math.min(all, outOfAll.count);
      return { keys, keysPerLease: all - keys };
    },
    problems() {
      list ??= problemsOf({ limits, outByLease, outOfAll });
      return list;
    },
    get hasRoom() {
      return hasRoom;
    },
  };
}

/** Not the value that comes with it. */
function leasedKeyOf({ key, createRevision, lease }: LeasedKey): LeasedKey {
  return { key, createRevision, lease };
}

function problemsOf({
  limits,
  outByLease,
  outOfAll,
}: {
  readonly limits: Pick<DiscoverLimits, 'keys' | 'keysPerLease'>;
  readonly outByLease: ReadonlyMap<string, LeftOut>;
  readonly outOfAll: LeftOut;
}): readonly Problem[] {
  const told = ({ count, example }: LeftOut, most: number): string =>
    `its oldest ${String(most)} are taken, and ${String(count)} left out, such as ${printableKey(example)}`;
  if (outOfAll.count === 0 && outByLease.size === 0) return noProblems;
  return [
    ...(outOfAll.count === 0 ? [] : [{ key: 'MAX_KEYS of all', reason: told(outOfAll, limits.keys) }]),
    ...[...outByLease].map(([lease, leftOut]) => ({
      key: `MAX_KEYS_PER_LEASE of ${lease === '0' ? 'keys without a lease' : `lease ${leaseText(lease)}`}`,
      reason: told(leftOut, limits.keysPerLease),
    })),
  ].sort((a, b) => compareText(a.key, b.key));
}
