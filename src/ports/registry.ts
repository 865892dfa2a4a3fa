import type { LeasedEntry } from '../core/catalog.js';
import type { Diff } from '../core/diff.js';
import { leaseText } from '../core/lease.js';

export interface HeldEntry extends LeasedEntry {
  /** Revision of its last put. */
  readonly modRevision: number;
}

export interface Listing {
  /** Revision of etcd at which the entries stand. */
  readonly revision: number;
  readonly entries: readonly HeldEntry[];
}

export type WatchEvent =
  { readonly kind: 'put'; readonly entry: HeldEntry } | { readonly kind: 'delete'; readonly key: string };

/** Enough to tell whether anything under a prefix changed since. */
export interface Fingerprint {
  readonly revision: number;
  readonly count: number;
  /** Highest mod revision of a key that stands. */
  readonly latest: number;
}

/** etcd tells both in whole seconds, rounded down. */
export interface LeaseTime {
  readonly remainingMs: number;
  /** What every keep-alive sets it back to. */
  readonly grantedMs: number;
}

/**
 * etcd, as the daemons use it. Every call has a deadline of its own and rejects on failure; rejects with an AbortError
 * when `signal` fires.
 */
export interface Registry {
  /** All at once: for who wants all, or knows that they are few. */
  list(signal: AbortSignal): Promise<Listing>;
  /** What stands under these keys and under those that hang on the lease, whatever else there is. */
  listOwn(lease: string, keys: Iterable<string>, signal: AbortSignal): Promise<readonly HeldEntry[]>;
  /** All in parts, all at the same revision; who takes the next one late is not told anything newer. */
  pages(signal: AbortSignal): AsyncIterable<Listing>;
  /** Revision of etcd, whatever changed, as one member sees it; that may be a moment behind. Costs etcd next to nothing. */
  revision(signal: AbortSignal): Promise<number>;
  /** How many keys stand, as one member sees it; that may be a moment behind. Costs etcd a sixth of a fingerprint. */
  countKeys(signal: AbortSignal): Promise<number>;
  /** Costs etcd a look at every value. */
  fingerprint(signal: AbortSignal): Promise<Fingerprint>;
  /**
   * Tells every change after `revision`, in order, each time with the revision up to which it has told everything, until the watch fails or etcd compacted past it (rejects), or
   * `signal` fires (resolves). Never reconnects by itself.
   */
  watch(
    revision: number,
    onEvents: (events: readonly WatchEvent[], revision: number) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Puts and deletes in as few transactions as the server's limit on operations allows.
   *
   * @returns whether a member that was silent may yet carry out some of it a second time
   */
  apply(diff: Diff, lease: string, signal: AbortSignal): Promise<{ readonly mayRepeat: boolean }>;
  grantLease(ttlMs: number, signal: AbortSignal): Promise<string>;
  /** `lost` where etcd no longer knows the lease. */
  keepAlive(lease: string, signal: AbortSignal): Promise<'alive' | 'lost'>;
  /** The times of a lease, or null where etcd no longer knows it. */
  leaseTime(lease: string, signal: AbortSignal): Promise<LeaseTime | null>;
  /** Ids of all leases, as one member knows them that has come to this revision. Null where it does not tell. */
  livingLeases(revision: number, signal: AbortSignal): Promise<ReadonlySet<string> | null>;
  /** Deletes the lease and with it all its keys. */
  revoke(lease: string, signal: AbortSignal): Promise<void>;
}

/** etcd refuses it to this user. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError';
}

/** The lease on which a put should hang is gone. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  /** @param lease in decimal */
  constructor(lease: string, options?: ErrorOptions) {
    super(`etcd no longer knows lease ${leaseText(lease)}`, options);
  }
}
