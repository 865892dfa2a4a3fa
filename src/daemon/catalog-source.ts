import { staleRecordOf, type Catalog, type Endpoint } from '../core/catalog.js';
import { createCatalogIndex } from '../core/catalog-index.js';
import type { DiscoverLimits } from '../core/limits.js';
import type { LastKnownGood, StaleEntry } from '../core/last-known-good.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Trust } from '../core/signers.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import type { Registry, WatchEvent } from '../ports/registry.js';
import { createCatalogSession } from './catalog-session.js';
import { createJudge } from './judge.js';
import { createKnownKeys, type KnownKeys } from './known-keys.js';
import { newsOf, type News } from './propagation.js';
import { retry } from './retry.js';
import { createStaleKeys } from './stale-keys.js';

export interface CatalogSource extends Pick<KnownKeys, 'entries' | 'revision' | 'leftOut' | 'leftOutCounts'> {
  /** Follows etcd; see `createCatalogSession`. */
  run(signal: AbortSignal): Promise<void>;
  /** What did not change since the last call is the same object as then. */
  catalog(): Catalog;
  /** What etcd no longer has, and nobody has withdrawn: part of the catalog too. */
  stale(): StaleEntry[];
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
  readonly limits: DiscoverLimits;
  /** Whether this host would serve an endpoint at all; where it is not given, all are wanted. */
  readonly isServable?: (endpoint: Endpoint) => boolean;
  readonly log: Logger;
  readonly meter: Meter;
  /** The watch told what a container's event led to. Called before `onChange`. */
  readonly onNews: (news: readonly News[]) => void;
  /** Something changed. */
  readonly onChange: (reason: string) => void;
}

export function createCatalogSource({
  registry,
  prefix,
  pollMs,
  initial,
  trust,
  staleMs,
  limits,
  isServable,
  log,
  meter,
  onNews,
  onChange,
}: CatalogSourceOptions): CatalogSource {
  const index = createCatalogIndex(limits, isServable);
  const judge = createJudge({ prefix, trust, limits });

  const missed = createStaleKeys({
    registry,
    isHeld: (lease) => known.isHeld(lease),
    revision: () => known.revision(),
    prefix,
    staleMs,
    most: limits.keys,
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

  const known = createKnownKeys({
    prefix,
    limits,
    judge,
    index,
    missed,
    initial: staleMs === 0 ? { ...initial, stale: [] } : initial,
    log,
  });

  /** What somebody puts beyond the limits leads to nothing. */
  const applyEvents = (events: readonly WatchEvent[], at: number): void => {
    const news: News[] = [];
    let isChanged = false;
    for (const event of events) {
      meter.count(discoverMetrics.watchEvents, { kind: event.kind });
      if (event.kind === 'delete') {
        isChanged = known.delete(event.key) || isChanged;
        continue;
      }
      const { value } = event.entry;
      const before = known.valueOf(event.entry.key);
      const { record, isOther } = known.put(event.entry);
      isChanged ||= isOther;
      if (record !== null) news.push(...newsOf(value, { record, before }));
    }
    known.advance(at);
    onNews(news);
    if (isChanged) onChange('watch');
  };

  const session = createCatalogSession({
    registry,
    known,
    missed,
    pollMs,
    limits,
    log,
    onEvents: applyEvents,
    onChange,
  });

  return {
    catalog() {
      const isDoubtful = judge.renew();
      if (isDoubtful !== null) known.judgeAnew(isDoubtful);
      return index.catalog();
    },
    entries: () => known.entries(),
    stale: () => missed.entries(),
    revision: () => known.revision(),
    leftOut: () => known.leftOut(),
    leftOutCounts: () => known.leftOutCounts(),
    isLive: () => session.isLive(),

    run: (signal) => retry((healthy) => session.run(healthy, signal), { what: 'following etcd', log, signal }),
  };
}
