import { diffOf, type Diff } from '../core/diff.js';
import { isOfContainer, keysOfUnknown } from '../core/ownership.js';
import type { RegistrationPolicy } from '../core/registrations.js';
import { owedWithdrawals } from '../core/withdrawals.js';
import type { Seal } from '../core/signature.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import { LeaseLostError, type HeldEntry, type Registry } from '../ports/registry.js';
import type { DesiredKeys } from './desired-keys.js';
import { createGoneKeys } from './gone-keys.js';
import { createHeldKeys, type Asking, type Listed } from './held-keys.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { createListingTurn } from './listing-turn.js';
import { createRegistrationNotices } from './registration-notices.js';
import { sealedRegistry } from './sealed-registry.js';

export interface RegistrarOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly policy: RegistrationPolicy;
  readonly desiredKeys: Pick<DesiredKeys, 'look'>;
  readonly keeper: LeaseKeeper;
  /** Put on every value; all that is compared here is without it. */
  readonly seal: Seal;
  readonly log: Logger;
  readonly meter: Meter;
}

/** When to look again, in ms from now, or null. */
export interface NextLook {
  /** A container that is kept out may come back. */
  readonly admitInMs: number | null;
  /** Whose some keys in etcd are may be known, or what became of a transaction; what stands there must be listed for it. */
  readonly listAgainInMs: number | null;
}

/** Brings what stands in etcd for this host in line with what runs on it. */
export interface Registrar {
  /** @param reasons why, for the log of what changes */
  reconcile(reasons: readonly string[], signal: AbortSignal): Promise<NextLook>;
  /** What stands in etcd for this host must be looked at before the next comparison. */
  review(): void;
  /**
   * Deletes all keys of this host. The lease is left to run out: a key that went while its lease lives was withdrawn, and
   * that is how a client host tells it from a host that died.
   */
  withdraw(signal: AbortSignal): Promise<void>;
  /** Number of keys that are held. */
  count(): number;
}

/** At the start: half a minute at the most. */
const mostRests = 3;
/** A call to etcd has 5 s; what a member does with it comes not much later. */
const lateMs = 7_000;

export function createRegistrar({
  registry,
  prefix,
  policy,
  desiredKeys,
  keeper,
  seal,
  log,
  meter,
}: RegistrarOptions): Registrar {
  /** Keys of this host and their values, as last listed or written. */
  let held = new Map<string, string>();
  /** What this process has put and not deleted since, whether or not it still stands; what is held, after a round that went well. */
  let before = held;
  const gone = createGoneKeys();
  /** Keys of containers about which Docker was silent when they were listed. */
  let kept: ReadonlyMap<string, string> = new Map();
  /** Keys that another registration has. */
  let taken: ReadonlySet<string> = new Set();
  let mustList: Asking['need'] | null = 'all';
  /** Once everything has been registered. What another process left is taken over before that; afterwards nobody leaves anything. */
  let begun = false;
  /** A member of etcd that was given up may still carry out what it was asked. */
  let isDoubtful = false;
  /** Others, who may live, have keys that ours may be. */
  let isContested = false;
  /** All that was desired is held since the last round that went well: only keys that have changed since can differ. */
  let inStep = false;
  const sealed = sealedRegistry(registry, seal);
  const turn = createListingTurn({ registry, mostRests });
  const tell = createRegistrationNotices(log, meter);
  const heldKeys = createHeldKeys({ registry, prefix, hostIp: policy.hostIp, seal, log });

  const list = async (asking: Omit<Asking, 'need' | 'keys' | 'takeOver'>, signal: AbortSignal): Promise<Listed> => {
    // Only a look at all of them tells whether the others are still there.
    const need = isContested ? 'all' : (mustList ?? 'all');
    mustList = null;
    try {
      if (!begun) await turn.wait(0, signal);
      const had = { keys: [...before.keys(), ...held.keys(), ...gone.keys()], takeOver: !begun };
      return await heldKeys.list({ ...asking, need, ...had }, signal);
    } catch (error) {
      mustList = need;
      throw error;
    }
  };

  const apply = async (diff: Diff, lease: string, signal: AbortSignal): Promise<void> => {
    try {
      const { mayRepeat } = await sealed.apply(diff, lease, signal);
      isDoubtful ||= mayRepeat;
    } catch (error) {
      // Which of the transactions were taken is not known, nor whether one is taken yet.
      mustList ??= 'own';
      isDoubtful = true;
      before = new Map([...before, ...diff.puts.map(({ key, value }) => [key, value] as const)]);
      if (error instanceof LeaseLostError) keeper.drop();
      throw error;
    }
  };

  /** Tells the client hosts of keys that went with a lease and will not come back; the next transaction deletes them. */
  const announceOwed = async (
    { entries, desired }: { entries: readonly HeldEntry[]; desired: ReadonlyMap<string, string> },
    lease: string,
    signal: AbortSignal,
  ): Promise<void> => {
    const standing = new Map(entries.map(({ key, value }) => [key, value]));
    const puts = owedWithdrawals({ prefix, before: new Map([...gone.lost(lease), ...before]), standing, desired });
    // An etcd that is full takes the deletes, and no put.
    const deletes = [...held.keys()].filter((key) => !desired.has(key));
    if (puts.length > 0) await apply({ puts, deletes }, lease, signal);
    gone.turn(lease);
    for (const { key, value } of puts) held.set(key, value);
  };

  /** What is held is what is desired now. */
  const settle = (desired: ReadonlyMap<string, string>, among: Iterable<string>): void => {
    for (const key of among) {
      const [value, was] = [desired.get(key), before.get(key)];
      if (value === undefined && was !== undefined) gone.add(key, was);
      if (value === undefined) held.delete(key);
      else held.set(key, value);
    }
    before = held;
  };

  return {
    count: () => held.size,

    review() {
      mustList ??= 'own';
    },

    async reconcile(reasons, signal) {
      const lease = await keeper.current(signal);
      const { keys, sources, changed, unknown, againInMs: admitInMs } = desiredKeys.look();
      let listAgainInMs: number | null = null;
      const differing = inStep ? changed : null;
      // A name that somebody gave may be another's by now.
      const isClaimed = (key: string): boolean => before.has(key) || taken.has(key) || isOfContainer(prefix, key);
      for (const key of differing ?? keys.keys()) if (!isClaimed(key)) mustList ??= 'own';
      const isListed = mustList !== null;
      if (isListed) {
        const listed = await list({ lease, desired: keys, unknown }, signal);
        held = new Map(listed.held);
        taken = listed.taken;
        // One that went with the lease is kept as well: nobody knows that its container died.
        kept = new Map([...keysOfUnknown(prefix, before, unknown), ...listed.kept]);
        listAgainInMs = listed.againInMs;
        isContested = listAgainInMs !== null;
        await announceOwed({ entries: listed.entries, desired: new Map([...kept, ...keys]) }, lease, signal);
      }
      const silent = keysOfUnknown(prefix, kept, unknown);
      const isAll = silent.size === 0 && taken.size === 0;
      const desired = isAll ? keys : new Map([...silent, ...keys].filter(([key]) => !taken.has(key)));
      const among = isAll && !isListed && differing !== null ? differing : new Set([...desired.keys(), ...held.keys()]);
      const diff = diffOf(desired, held, among);
      await apply(diff, lease, signal);
      settle(desired, among);
      begun = true;
      tell({ diff, reasons, sources, among });
      inStep = isAll;
      if (isDoubtful) listAgainInMs = Math.min(listAgainInMs ?? Infinity, lateMs);
      isDoubtful = false;
      return { admitInMs, listAgainInMs };
    },

    async withdraw(signal) {
      const lease = keeper.peek();
      if (lease === null) return;
      if (mustList !== null) {
        const listed = await list({ lease, desired: new Map(), unknown: new Set() }, signal);
        held = new Map(listed.held);
      }
      const deletes = [...held.keys()];
      await apply({ puts: [], deletes }, lease, signal);
      held = new Map();
      log.info({ keys: deletes.length }, 'registrations withdrawn');
    },
  };
}
