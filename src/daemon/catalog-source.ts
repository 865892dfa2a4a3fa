import { staleRecordOf, type Catalog, type CatalogRecord, type LeasedEntry } from '../core/catalog.js';
import { createCatalogIndex } from '../core/catalog-index.js';
import type { LastKnownGood, StaleEntry } from '../core/last-known-good.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Trust } from '../core/signers.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import type { HeldEntry, Listing, Registry, WatchEvent } from '../ports/registry.js';
import { createJudge, type Judged } from './judge.js';
import { every, runTasks } from './lifecycle.js';
import { createPoll } from './poll.js';
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
  /** Who is believed; null: everybody. When it is another, `catalog` judges everything anew. */
  readonly trust: () => Trust | null;
  /** How long a registration that expired without a withdrawal is kept; 0: not at all. */
  readonly staleMs: number;
  readonly log: Logger;
  readonly meter: Meter;
  /** The watch told what a container's event led to. Called before `onChange`. */
  readonly onNews: (news: readonly News[]) => void;
  /** Something changed. */
  readonly onChange: (reason: string) => void;
}

interface Known extends Judged {
  readonly modRevision: number;
}

export function createCatalogSource({
  registry,
  prefix,
  pollMs,
  initial,
  trust,
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
  const judge = createJudge(prefix, trust);

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

  const put = (entry: LeasedEntry, modRevision: number): CatalogRecord => {
    const record = judge.recordOf(entry, known.get(entry.key));
    known.set(entry.key, { entry, modRevision, record });
    missed.heard(entry, record);
    missed.forget(index.set(record));
    return record;
  };
  /** @param reborn etcd has lost its data */
  const remove = (key: string, reborn = false): void => {
    const there = known.get(key);
    known.delete(key);
    const isKept = there !== undefined && there.record.kind !== 'rejected' && missed.miss(there.entry, reborn);
    if (!isKept) index.delete(key);
  };
  for (const entry of initial.entries) put(entry, 0);
  for (const entry of staleMs === 0 ? [] : initial.stale) {
    if (judge.recordOf(entry).kind === 'rejected') continue;
    missed.restore(entry);
    missed.forget(index.set(staleRecordOf(prefix, entry)));
  }
  const judgeAnew = (isDoubtful: (entry: LeasedEntry) => boolean): void => {
    for (const there of [...known.values()].filter(({ entry }) => isDoubtful(entry))) {
      const record = judge.recordOf(there.entry);
      known.set(there.entry.key, { ...there, record });
      missed.forget(index.set(record));
    }
    const rejected = missed.entries().filter((entry) => judge.recordOf(entry).kind === 'rejected');
    missed.forget(rejected.map(({ key }) => key));
    for (const { key } of rejected) index.delete(key);
  };

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
      const stands = there?.modRevision === entry.modRevision && isSame(there.entry, entry);
      if (!stands) put(entry, entry.modRevision);
    }
    revision = at;
  };

  const putNow = (entry: HeldEntry): News[] => {
    const before = known.get(entry.key)?.entry.value;
    return newsOf(entry.value, { record: put(entry, entry.modRevision), before });
  };

  const applyEvents = (events: readonly WatchEvent[], at: number): void => {
    const news = events.flatMap((event) => {
      meter.count(discoverMetrics.watchEvents, { kind: event.kind });
      if (event.kind === 'put') return putNow(event.entry);
      remove(event.key);
      return [];
    });
    onNews(news);
    revision = at;
    onChange('watch');
  };

  const poll = createPoll({ registry, known, revision: () => revision });

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
    catalog() {
      const isDoubtful = judge.renew();
      if (isDoubtful !== null) judgeAnew(isDoubtful);
      return index.catalog();
    },
    entries: () => [...known.values()].flatMap(({ entry, record }) => (record.kind === 'rejected' ? [] : [entry])),
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

function isSame(a: LeasedEntry, b: LeasedEntry): boolean {
  return a.value === b.value && a.createRevision === b.createRevision;
}
