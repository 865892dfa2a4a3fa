import { diffOf, type Diff } from '../core/diff.js';
import { isOwnKey } from '../core/ownership.js';
import type { RegistrationPolicy } from '../core/registrations.js';
import { owedWithdrawals } from '../core/withdrawals.js';
import type { Logger } from '../ports/log.js';
import { LeaseLostError, type HeldEntry, type Registry } from '../ports/registry.js';
import type { Desired } from './desired-keys.js';
import type { LeaseKeeper } from './lease-keeper.js';

export interface RegistrarOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly policy: RegistrationPolicy;
  readonly desiredKeys: () => Desired;
  readonly keeper: LeaseKeeper;
  readonly log: Logger;
}

/** Brings what stands in etcd for this host in line with what runs on it. */
export interface Registrar {
  /** @param reasons why, for the log of what changes */
  reconcile(
    reasons: readonly string[],
    signal: AbortSignal,
  ): Promise<{
    /** When a container that is kept out may come back, in ms from now, or null. */
    readonly againInMs: number | null;
  }>;
  /** What stands in etcd must be listed anew before the next comparison. */
  forget(): void;
  /**
   * Deletes all keys of this host. The lease is left to run out: a key that went while its lease lives was withdrawn, and
   * that is how a client host tells it from a host that died.
   */
  withdraw(signal: AbortSignal): Promise<void>;
  /** Number of keys that are held. */
  count(): number;
}

export function createRegistrar({ registry, prefix, policy, desiredKeys, keeper, log }: RegistrarOptions): Registrar {
  /** Keys of this host and their values, as last listed or written. */
  let held: ReadonlyMap<string, string> = new Map();
  /** What this process has put and not deleted since, whether or not it still stands. */
  let before: ReadonlyMap<string, string> = new Map();
  let mustList = true;

  const list = async (signal: AbortSignal): Promise<readonly HeldEntry[]> => {
    mustList = false;
    try {
      return (await registry.list(signal)).entries;
    } catch (error) {
      mustList = true;
      throw error;
    }
  };

  const heldOf = (entries: readonly HeldEntry[], lease: string): Map<string, string> => {
    const own = entries.filter((entry) => entry.lease === lease || isOwnKey(prefix, policy.hostIp, entry));
    // A key under another lease is put again under ours, unchanged: no client host sees a thing.
    return new Map(own.map((entry) => [entry.key, entry.lease === lease ? entry.value : '']));
  };

  const apply = async (diff: Diff, lease: string, signal: AbortSignal): Promise<void> => {
    try {
      await registry.apply(diff, lease, signal);
    } catch (error) {
      // Which of the transactions were taken is not known.
      mustList = true;
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
    const puts = owedWithdrawals({ prefix, before, standing, desired });
    if (puts.length === 0) return;
    await apply({ puts, deletes: [] }, lease, signal);
    held = new Map([...held, ...puts.map(({ key, value }) => [key, value] as const)]);
  };

  const tell = ({ puts, deletes }: Diff, reasons: readonly string[]): void => {
    for (const { key, value } of puts) log.info({ key, value, reasons }, 'registered');
    for (const key of deletes) log.info({ key, reasons }, 'deregistered');
  };

  return {
    count: () => held.size,

    forget() {
      mustList = true;
    },

    async reconcile(reasons, signal) {
      const lease = await keeper.current(signal);
      const { keys: desired, againInMs } = desiredKeys();
      if (mustList) {
        const entries = await list(signal);
        held = heldOf(entries, lease);
        await announceOwed({ entries, desired }, lease, signal);
      }
      const diff = diffOf(desired, held);
      await apply(diff, lease, signal);
      held = desired;
      before = desired;
      tell(diff, reasons);
      return { againInMs };
    },

    async withdraw(signal) {
      const lease = keeper.peek();
      if (lease === null) return;
      if (mustList) held = heldOf(await list(signal), lease);
      const deletes = [...held.keys()];
      await apply({ puts: [], deletes }, lease, signal);
      held = new Map();
      log.info({ keys: deletes.length }, 'registrations withdrawn');
    },
  };
}
