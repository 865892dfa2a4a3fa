import { setTimeout as sleep } from 'node:timers/promises';
import { recordOf, staleRecordOf, type Catalog, type LeasedEntry } from '../core/catalog.js';
import { createCatalogIndex } from '../core/catalog-index.js';
import type { LastKnownGood, StaleEntry } from '../core/last-known-good.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import type { Fingerprint, Listing, Registry, WatchEvent } from '../ports/registry.js';
import { every, runTasks } from './lifecycle.js';
import { newsOf, type News } from './propagation.js';
import { retry } from './retry.js';
import { createStaleKeys } from './stale-keys.js';

export interface CatalogSource {
  /** Lists, then watches from there; lists again after every failure of the watch and whenever the poll differs. */
  run(signal: AbortSignal): Promise<void>;
  /** What did not change since the last call is the same object as then. */
  catalog(): Catalog;
  /** What stands in etcd and keeps to the grammar. */
  entries(): LeasedEntry[];
  /** What etcd no longer has, and nobody has withdrawn: part of the catalog too. */
  stale(): StaleEntry[];
  revision(): number;
  /** etcd has answered, and its watch stands. */
  isLive(): boolean;
}

export interface CatalogSourceOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly pollMs: number;
  /** What stood there when the daemon last ran; served until etcd answers. */
  readonly initial: Pick<LastKnownGood, 'revision' | 'entries' | 'stale'>;
  /** How long a registration that expired without a withdrawal is kept; 0: not at all. */
  readonly staleMs: number;
  readonly log: Logger;
  readonly meter: Meter;
  /** The watch told what a container's event led to. Called before `onChange`. */
  readonly onNews: (news: readonly News[]) => void;
  /** Something changed. */
  readonly onChange: (reason: string) => void;
}

/** How often the poll looks again before it doubts the watch: a change may be under way to us. */
const looks = 3;
const lookPauseMs = 200;
/** A watch that tells something all the time can't be compared with one moment of etcd; so many polls believe it. */
const believedPolls = 12;

interface Known {
  readonly entry: LeasedEntry;
  readonly modRevision: number;
  readonly isRejected: boolean;
}

export function createCatalogSource({
  registry,
  prefix,
  pollMs,
  initial,
  staleMs,
  log,
  meter,
  onNews,
  onChange,
}: CatalogSourceOptions): CatalogSource {
  /** What stands in etcd. */
  const known = new Map<string, Known>();
  const index = createCatalogIndex();
  let revision = initial.revision;
  let live = false;

  const missed = createStaleKeys({
    registry,
    prefix,
    staleMs,
    log,
    onStale(entries) {
      for (const entry of entries) missed.forget(index.set(staleRecordOf(prefix, entry)));
      onChange('stale');
    },
    onGone(keys) {
      for (const key of keys) index.delete(key);
      onChange('gone');
    },
  });

  const put = (entry: LeasedEntry, modRevision: number): void => {
    const record = recordOf(prefix, entry);
    known.set(entry.key, { entry, modRevision, isRejected: record.kind === 'rejected' });
    missed.heard(entry, record);
    missed.forget(index.set(record));
  };
  /** @param reborn etcd has lost its data */
  const remove = (key: string, reborn = false): void => {
    const there = known.get(key);
    known.delete(key);
    if (there === undefined || !missed.miss(there.entry, reborn)) index.delete(key);
  };
  for (const entry of initial.entries) put(entry, 0);
  for (const entry of staleMs === 0 ? [] : initial.stale) {
    missed.restore(entry);
    missed.forget(index.set(staleRecordOf(prefix, entry)));
  }

  /** A key that stands as it is known stays: a listing that brings nothing new changes nothing. */
  const replace = ({ entries, revision: at }: Listing): void => {
    const listed = new Set(entries.map(({ key }) => key));
    const reborn = at < revision;
    if (reborn)
      log.warn({ revision: at, before: revision }, 'etcd has lost its data: it counts from an earlier revision');
    for (const key of [...known.keys()]) if (!listed.has(key)) remove(key, reborn);
    for (const entry of entries) {
      const there = known.get(entry.key);
      // Revisions alone prove nothing: it may be another etcd, which began to count anew.
      const stands =
        there?.modRevision === entry.modRevision &&
        there.entry.createRevision === entry.createRevision &&
        there.entry.value === entry.value;
      if (!stands) put(entry, entry.modRevision);
    }
    revision = at;
  };

  const applyEvents = (events: readonly WatchEvent[], at: number): void => {
    onNews(events.flatMap((event) => newsOf(prefix, event, (key) => known.get(key)?.entry.value)));
    for (const { kind } of events) meter.count(discoverMetrics.watchEvents, { kind });
    for (const event of events) {
      if (event.kind === 'delete') remove(event.key);
      else put(event.entry, event.entry.modRevision);
    }
    revision = at;
    onChange('watch');
  };

  const agrees = ({ count, latest }: Fingerprint): boolean => {
    let ours = 0;
    for (const { modRevision } of known.values()) ours = Math.max(ours, modRevision);
    return known.size === count && ours === latest;
  };

  let believed = 0;
  const poll = async (signal: AbortSignal): Promise<void> => {
    const before = revision;
    for (let look = 0; look < looks; look += 1) {
      if (agrees(await registry.fingerprint(signal))) {
        believed = 0;
        return;
      }
      await sleep(lookPauseMs, undefined, { signal });
    }
    believed += 1;
    if (revision !== before && believed < believedPolls) return;
    believed = 0;
    throw new PollDiffersError('the poll found what the watch did not tell; listing anew');
  };

  const session = async (healthy: () => void, signal: AbortSignal): Promise<void> => {
    const listing = await registry.list(signal);
    replace(listing);
    live = true;
    healthy();
    onChange('listed');
    await runTasks(
      [
        (both) => registry.watch(listing.revision, applyEvents, both),
        (both) => every(pollMs, () => poll(both), both),
        (both) => missed.run(both),
      ],
      signal,
    );
  };

  return {
    catalog: () => index.catalog(),
    entries: () => [...known.values()].flatMap(({ entry, isRejected }) => (isRejected ? [] : [entry])),
    stale: () => missed.entries(),
    revision: () => revision,
    isLive: () => live,

    run: (signal) =>
      retry(
        async (healthy) => {
          try {
            await session(healthy, signal);
          } finally {
            live = false;
          }
        },
        { what: 'following etcd', log, signal },
      ),
  };
}

class PollDiffersError extends Error {
  override readonly name = 'PollDiffersError';
}
