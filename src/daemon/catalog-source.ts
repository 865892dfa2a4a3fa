import { staleRecordOf, type Catalog, type Endpoint } from '../core/catalog.js';
import { createCatalogIndex } from '../core/catalog-index.js';
import type { DiscoverLimits } from '../core/limits.js';
import type { LastKnownGood, StaleEntry } from '../core/last-known-good.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Trust } from '../core/signers.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import type { Registry, WatchEvent } from '../ports/registry.js';
import { createJudge } from './judge.js';
import { createKnownKeys, type KnownKeys } from './known-keys.js';
import { every, runTasks } from './lifecycle.js';
import { listKeys } from './listed-keys.js';
import { createPoll } from './poll.js';
import { newsOf, type News } from './propagation.js';
import { retry } from './retry.js';
import { createStaleKeys } from './stale-keys.js';

export interface CatalogSource extends Pick<KnownKeys, 'entries' | 'revision' | 'leftOut' | 'leftOutCounts'> {
  /** Lists, then watches from there; lists again after every failure of the watch and whenever the poll differs. */
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

/** Where there is room again for keys that were left out, they are looked for no more often than this: it takes a listing. */
const refillMs = 15_000;

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
  let live = false;
  const judge = createJudge({ prefix, trust, limits });

  const missed = createStaleKeys({
    registry,
    isHeld: (lease) => known.isHeld(lease),
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

  const poll = createPoll({ registry, known });

  let listedAtMs = 0;
  const list = async (signal: AbortSignal): Promise<void> => {
    known.replace(await listKeys({ registry, limits, isKnown: (key) => known.has(key) }, signal));
    listedAtMs = performance.now();
    onChange('listed');
  };

  /** Until there is room for keys that were left out, or `signal` fires. */
  const follow = async (signal: AbortSignal): Promise<void> => {
    const refill = new AbortController();
    await runTasks(
      [
        (both) => registry.watch(known.revision(), applyEvents, both),
        (both) =>
          every(
            pollMs,
            async () => {
              await poll(both);
              if (known.hasRoom() && performance.now() - listedAtMs >= refillMs) refill.abort();
            },
            both,
          ),
      ],
      AbortSignal.any([signal, refill.signal]),
    );
  };

  const session = async (healthy: () => void, signal: AbortSignal): Promise<void> => {
    await list(signal);
    live = true;
    healthy();
    await runTasks(
      [
        (both) => missed.run(both),
        async (both) => {
          for (;;) {
            await follow(both);
            if (both.aborted) return;
            await list(both);
          }
        },
      ],
      signal,
    );
  };

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
