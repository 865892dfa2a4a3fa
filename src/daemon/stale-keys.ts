import { recordOf, type CatalogRecord, type LeasedEntry } from '../core/catalog.js';
import { formatDuration } from '../core/duration.js';
import type { StaleEntry } from '../core/last-known-good.js';
import { createOldest, type Aged } from '../core/oldest.js';
import type { Logger } from '../ports/log.js';
import type { Registry } from '../ports/registry.js';
import { steadyNowMs } from './clock.js';
import { createHeardHosts } from './heard-hosts.js';
import { askOfLeases } from './lease-questions.js';
import { every, runTasks } from './lifecycle.js';
import { createReconcileLoop } from './reconcile-loop.js';

/** What became of keys that went. */
export interface Verdicts {
  /** Their leases ended, and nobody withdrew them. */
  readonly onStale: (entries: readonly LeasedEntry[]) => void;
  /** They were withdrawn, or have been stale for long enough. */
  readonly onGone: (keys: readonly string[]) => void;
}

export interface StaleKeysOptions extends Verdicts {
  readonly registry: Pick<Registry, 'livingLeases' | 'leaseTime'>;
  /** A key that stands hangs on this lease. One that ends takes all its keys at one revision, so it lives; etcd need not be asked. */
  readonly isHeld: (lease: string) => boolean;
  /** Of etcd, up to which is known what there is. */
  readonly revision: () => number;
  readonly prefix: string;
  /** How long a stale key is kept while etcd answers; 0: not at all. */
  readonly staleMs: number;
  /** So many are kept at the most, the oldest: who puts keys and lets them expire without end costs no other host its own. */
  readonly most: number;
  readonly log: Logger;
}

/**
 * Keys that etcd has no more. One whose lease still lives was deleted, by somebody who meant it. One whose lease has gone too
 * says only that its docker-register was not heard: the host may be dead, or cut off from etcd while it serves.
 */
export interface StaleKeys {
  /**
   * etcd no longer has this key.
   *
   * @param reborn etcd has lost its data: not even a key without a lease was deleted by anybody
   * @returns whether to keep it until a verdict
   */
  miss(entry: LeasedEntry, reborn: boolean): boolean;
  /** Missed by an earlier run of the daemon. */
  restore(entry: StaleEntry): void;
  /** A key was put, if on a lease by the docker-register of its host. */
  heard(entry: LeasedEntry, record: CatalogRecord): void;
  /** They gave way to others. */
  forget(keys: readonly string[]): void;
  /** Asks etcd about the leases, and lets go of what was kept for long enough, until `signal` fires. */
  run(signal: AbortSignal): Promise<void>;
  entries(): StaleEntry[];
}

interface Missed extends Aged {
  readonly entry: LeasedEntry;
  readonly host: string;
  readonly sinceMs: number;
  readonly order: number;
  verdict: 'to ask' | 'stale';
}

/** A docker-register that is back puts all that lives within this time; what it did not put is gone. */
const settleMs = 7_000;
/** After etcd was away, so long nothing ends by its age: whoever lives is about to be put again. */
const graceMs = 15_000;
const tickMs = 1_000;
export function createStaleKeys({
  registry,
  isHeld,
  revision,
  prefix,
  staleMs,
  most,
  log,
  onStale,
  onGone,
}: StaleKeysOptions): StaleKeys {
  const missed = createOldest<Missed>(most);
  const hosts = createHeardHosts();
  let liveSinceMs = Infinity;
  const loop = createReconcileLoop({ quiet: { leastMs: 0, mostMs: 0 }, what: 'asking etcd about leases', log });

  /** The host of a key that is worth keeping. */
  const keptHostOf = (entry: LeasedEntry): string | null => {
    const record = recordOf(prefix, entry);
    // Who drains has announced that he goes.
    return record.kind !== 'endpoint' || record.endpoint.state === 'drain' ? null : record.endpoint.address.host;
  };

  const ask = async (signal: AbortSignal): Promise<void> => {
    const asked = [...missed.values()].filter(({ verdict }) => verdict === 'to ask');
    const leases = new Set(asked.map(({ entry }) => entry.lease));
    const { lives, failure } = await askOfLeases(leases, { registry, isHeld, revision: revision() }, signal);
    // Some may have been put again meanwhile.
    const left = asked.filter((one) => missed.get(one.entry.key) === one);
    const ofLeases = (are: boolean): Missed[] => left.filter(({ entry }) => lives.get(entry.lease) === are);
    conclude(ofLeases(true), ofLeases(false));
    // Those of whom nobody told are asked about again.
    if (failure !== null) throw failure.error;
  };

  const conclude = (withdrawn: readonly Missed[], stale: readonly Missed[]): void => {
    for (const { entry } of withdrawn) missed.delete(entry.key);
    for (const one of stale) one.verdict = 'stale';
    if (withdrawn.length > 0) onGone(withdrawn.map(({ entry }) => entry.key));
    if (stale.length === 0) return;
    const hosts = [...new Set(stale.map(({ host }) => host))];
    log.warn(
      { registrations: stale.length, hosts: hosts.slice(0, 10), forAtMost: formatDuration(staleMs) },
      'registrations expired and were not withdrawn; kept as stale, and the health checks decide over them',
    );
    onStale(stale.map(({ entry }) => entry));
  };

  /** @returns whether it is kept */
  const keep = (one: Omit<Missed, keyof Aged>): boolean => {
    const { key, createRevision } = one.entry;
    const item = { ...one, key, createRevision };
    const out = missed.offer(item);
    if (out !== null && out !== item) onGone([out.key]);
    return out !== item;
  };

  const letGo = (): void => {
    const now = steadyNowMs();
    const isOver = ({ host, sinceMs, order: missedAs, verdict }: Missed): boolean => {
      const isBack = hosts.isBack(host, { order: missedAs, forMs: settleMs });
      const isOld = now - sinceMs > staleMs && now - liveSinceMs > graceMs;
      return verdict === 'stale' && (isBack || isOld);
    };
    const over = [...missed.values()].filter(isOver);
    for (const { key } of over) missed.delete(key);
    hosts.keep(() => new Set([...missed.values()].map(({ host }) => host)), missed.size);
    if (over.length === 0) return;
    log.info({ registrations: over.length, left: missed.size }, 'stale registrations removed');
    onGone(over.map(({ entry }) => entry.key));
  };

  return {
    miss(entry, reborn) {
      const host = staleMs === 0 || (entry.lease === '0' && !reborn) ? null : keptHostOf(entry);
      if (host === null) return false;
      const order = hosts.miss(host);
      if (!keep({ entry, host, sinceMs: steadyNowMs(), order, verdict: 'to ask' })) return false;
      loop.trigger('missed');
      return true;
    },

    restore({ sinceMs, ...entry }) {
      const host = keptHostOf(entry);
      if (host === null) return;
      // By a clock that was set back since, it would be of the future.
      // It may have been withdrawn just when the daemon ended.
      const order = hosts.restore(host);
      keep({ entry, host, sinceMs: Math.min(sinceMs, steadyNowMs()), order, verdict: 'to ask' });
      loop.trigger('restored');
    },

    heard({ key, lease }, record) {
      missed.delete(key);
      if (lease === '0' || record.kind !== 'endpoint') return;
      hosts.hear(record.endpoint.address.host);
    },

    forget(keys) {
      for (const key of keys) missed.delete(key);
    },

    run(signal) {
      liveSinceMs = steadyNowMs();
      return runTasks(
        [
          (both) =>
            loop.run(async () => {
              await ask(both);
              letGo();
            }, both),
          (both) =>
            every(
              tickMs,
              () => {
                if (missed.size > 0) loop.trigger('tick');
              },
              both,
            ),
        ],
        signal,
      );
    },

    entries: () => [...missed.values()].map(({ entry, sinceMs }) => ({ ...entry, sinceMs })),
  };
}
