import { keysOfUnknown, sortKeys } from '../core/ownership.js';
import type { Seal } from '../core/signature.js';
import type { Logger } from '../ports/log.js';
import type { HeldEntry, Registry } from '../ports/registry.js';
import { createForeignLeases } from './foreign-leases.js';

export interface Listed {
  readonly entries: readonly HeldEntry[];
  /** Keys of this host and their values, without our seal; empty where one must be put again. */
  readonly held: ReadonlyMap<string, string>;
  /** Keys, and their values without our seal, of containers about which Docker is silent. */
  readonly kept: ReadonlyMap<string, string>;
  /** Keys that another registration has, with the same SERVICE_ID. */
  readonly taken: ReadonlySet<string>;
  /** When to list again, because it is not yet known whose some keys are, or null. */
  readonly againInMs: number | null;
}

type Entries = Listed['entries'];

export interface HeldKeysOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly hostIp: string;
  readonly seal: Seal;
  readonly log: Logger;
}

export interface HeldKeys {
  list(asking: Asking, signal: AbortSignal): Promise<Listed>;
}

export interface Asking {
  /** `own`: what this process has put is known, whatever became of it, and nothing says that others have keys of this host. */
  readonly need: 'own' | 'all';
  /** That this process has put, under whatever lease, or has tried to. */
  readonly keys: Iterable<string>;
  /** Our lease. */
  readonly lease: string;
  readonly desired: ReadonlyMap<string, string>;
  /** Ids of containers about which Docker is silent. */
  readonly unknown: ReadonlySet<string>;
  /** Whether keys of containers that run here are taken over, whosever they are. */
  readonly takeOver: boolean;
}

/**
 * Where our own keys would do, all are listed no more often than that: of 1,000 hosts with 20 keys each, each would ask for all
 * 20,000 in every RESYNC otherwise, and all at once when etcd is back after longer than their leases lived.
 */
const msPerKey = 60;

/** Finds out what stands in etcd for this host. */
export function createHeldKeys({ registry, prefix, hostIp, seal, log }: HeldKeysOptions): HeldKeys {
  const foreignLeases = createForeignLeases({ registry, hostIp, log });
  const ownLeases = new Set<string>();
  let allAt = -Infinity;
  let intervalMs = 0;
  const listed = async (
    { need, keys, lease, desired, unknown, takeOver }: Asking,
    signal: AbortSignal,
  ): Promise<Entries> => {
    const isOurs = need === 'own' && !takeOver && unknown.size === 0;
    ownLeases.add(lease);
    if (isOurs && performance.now() < allAt)
      return registry.listOwn(lease, new Set([...desired.keys(), ...keys]), signal);
    try {
      const { entries } = await registry.list(signal);
      intervalMs = entries.length * msPerKey;
      allAt = performance.now() + intervalMs;
      return entries;
    } catch (error) {
      // Whatever is due, hosts are not to do it in one moment when etcd is back.
      allAt = performance.now() + intervalMs * Math.random();
      throw error;
    }
  };
  return {
    async list(asking, signal) {
      const { lease, desired, unknown, takeOver } = asking;
      const entries = await listed(asking, signal);
      const leased = entries.filter((entry) => entry.lease !== '0').map(({ key, value }) => [key, value] as const);
      const silent = keysOfUnknown(prefix, new Map(leased), unknown);
      const kept = new Map<string, string>();
      for (const [key, value] of silent) {
        const opened = seal.open(key, value);
        if (opened !== null) kept.set(key, opened);
      }
      // What somebody else may have written there must not get our seal: it is left alone until Docker tells.
      const judged = entries.filter(({ key }) => !silent.has(key) || kept.has(key));
      const wanted = new Map([...kept, ...desired]);
      const sorted = sortKeys({ prefix, hostIp, entries: judged, desired: wanted, lease, ownLeases, takeOver });
      const { orphans, againInMs } = await foreignLeases.judge(sorted.foreign, signal);
      const held = new Map([...sorted.held].map(([key, value]) => [key, seal.open(key, value) ?? ''] as const));
      const taken = new Set<string>();
      for (const { key, lease: theirs, runsHere, isNamesake } of sorted.foreign) {
        if (orphans.has(theirs)) held.set(key, '');
        else if (isNamesake) taken.add(key);
        // Somebody else holds it just so.
        else if (runsHere) held.set(key, wanted.get(key) ?? '');
      }
      return { entries, held, kept, taken, againInMs };
    },
  };
}
