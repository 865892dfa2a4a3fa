import type { Entry } from './catalog.js';
import { containerNamedBy, shortIdOf } from './container.js';
import { parseKey, parseValue } from './keyspace.js';

/**
 * Whether docker-register of `hostIp` answers for a key, so that it removes it when no container stands behind it: the
 * key is named by a container id, points to this host, and hangs on a lease. A key put by hand is none of its business.
 */
export function isOwnKey(prefix: string, hostIp: string, entry: Entry & { readonly lease: string }): boolean {
  if (entry.lease === '0') return false;
  const key = parseKey(prefix, entry.key);
  const value = parseValue(entry.value);
  return key.ok && value.ok && containerNamedBy(key.value.id) !== null && value.value.address.host === hostIp;
}

/**
 * Keys of containers that are there, but about which Docker tells nothing: they stay as they stand.
 *
 * @param unknown ids of those containers
 */
export function keysOfUnknown(
  prefix: string,
  standing: ReadonlyMap<string, string>,
  unknown: ReadonlySet<string>,
): Map<string, string> {
  if (unknown.size === 0) return new Map();
  const shortIds = new Set([...unknown].map(shortIdOf));
  const stays = (key: string): boolean => {
    const name = parseKey(prefix, key);
    return name.ok && shortIds.has(name.value.id.replace(/:.*$/, ''));
  };
  return new Map([...standing].filter(([key]) => stays(key)));
}

/** A key that we may answer for, under a lease that this process was never granted. */
export interface ForeignKey {
  readonly key: string;
  readonly lease: string;
  /** Our engine runs its container, so that we would put it just so. */
  readonly runsHere: boolean;
  /** A container here has the same SERVICE_ID, and another address. */
  readonly isNamesake: boolean;
}

export interface SortedKeys {
  /** Ours, and the value under our lease; empty where it hangs on an earlier one and must be put again. */
  readonly held: ReadonlyMap<string, string>;
  /** Whose they are is for their lease to tell. */
  readonly foreign: readonly ForeignKey[];
}

export interface Standing {
  readonly prefix: string;
  readonly hostIp: string;
  readonly entries: readonly (Entry & { readonly lease: string })[];
  readonly desired: ReadonlyMap<string, string>;
  readonly lease: string;
  /** All leases that this process was granted. */
  readonly ownLeases: ReadonlySet<string>;
  /** Whether the keys of containers that run here become ours, whosever they are: the process before us has left them. */
  readonly takeOver: boolean;
}

/** Whose keys the entries are. */
export function sortKeys({ prefix, hostIp, entries, desired, lease, ownLeases, takeOver }: Standing): SortedKeys {
  const held = new Map<string, string>();
  const foreign: ForeignKey[] = [];
  for (const entry of entries) {
    const { key } = entry;
    const runsHere = desired.has(key);
    const isNamesake =
      runsHere && !isOfContainer(prefix, key) && addressIn(desired.get(key)) !== addressIn(entry.value);
    if (entry.lease === lease) held.set(key, entry.value);
    // Put again under ours, unchanged: no client host sees a thing.
    else if (ownLeases.has(entry.lease) || (runsHere && !isNamesake && takeOver && entry.lease !== '0'))
      held.set(key, '');
    else if (entry.lease !== '0' && (runsHere || isOwnKey(prefix, hostIp, entry)))
      foreign.push({ key, lease: entry.lease, runsHere, isNamesake });
  }
  return { held, foreign };
}

/** Whether the key is named by a container, and not by a SERVICE_ID, which two may be given. */
export function isOfContainer(prefix: string, key: string): boolean {
  const name = parseKey(prefix, key);
  return name.ok && containerNamedBy(name.value.id) !== null;
}

function addressIn(value = ''): string {
  return value.replace(/\?.*$/, '');
}

/** What a lease was seen to have left, on our monotonic clock. */
export interface LeaseSighting {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  readonly remainingMs: number;
  readonly grantedMs: number;
}

/** etcd tells whole seconds, so that the end of a lease is known to one second. */
const roundingMs = 1_000;

/**
 * Whether anybody keeps a lease alive. docker-register does so every third of it: one that has less than half of it left was
 * missed, and its process is dead or has left. One whose end has moved was not.
 */
export function verdictOf(first: LeaseSighting, last: LeaseSighting): 'orphan' | 'kept alive' | 'undecided' {
  if (last.remainingMs + roundingMs < last.grantedMs / 2) return 'orphan';
  const movedMs = last.askedAtMs + last.remainingMs - (first.answeredAtMs + first.remainingMs);
  return movedMs > roundingMs ? 'kept alive' : 'undecided';
}
