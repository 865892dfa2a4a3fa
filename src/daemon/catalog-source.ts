import { setTimeout as sleep } from 'node:timers/promises';
import { recordOf, type Catalog, type Entry } from '../core/catalog.js';
import { createCatalogIndex } from '../core/catalog-index.js';
import type { Logger } from '../ports/log.js';
import type { Fingerprint, Listing, Registry, WatchEvent } from '../ports/registry.js';
import { every, runTasks } from './lifecycle.js';
import { retry } from './retry.js';

export interface CatalogSource {
  /** Lists, then watches from there; lists again after every failure of the watch and whenever the poll differs. */
  run(signal: AbortSignal): Promise<void>;
  /** What did not change since the last call is the same object as then. */
  catalog(): Catalog;
  entries(): Entry[];
  revision(): number;
  /** etcd has answered, and its watch stands. */
  isLive(): boolean;
}

export interface CatalogSourceOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly pollMs: number;
  /** What stood there when the daemon last ran; served until etcd answers. */
  readonly initial: { readonly revision: number; readonly entries: readonly Entry[] };
  readonly log: Logger;
  /** Something changed. */
  readonly onChange: (reason: string) => void;
}

/** How often the poll looks again before it doubts the watch: a change may be under way to us. */
const looks = 3;
const lookPauseMs = 200;

export function createCatalogSource({
  registry,
  prefix,
  pollMs,
  initial,
  log,
  onChange,
}: CatalogSourceOptions): CatalogSource {
  const known = new Map<string, { readonly entry: Entry; readonly modRevision: number }>();
  const index = createCatalogIndex();
  let revision = initial.revision;
  let live = false;

  const put = (entry: Entry, modRevision: number): void => {
    known.set(entry.key, { entry, modRevision });
    index.set(recordOf(prefix, entry));
  };
  const remove = (key: string): void => {
    known.delete(key);
    index.delete(key);
  };
  for (const entry of initial.entries) put(entry, 0);

  /** A key that stands as it is known stays: a listing that brings nothing new changes nothing. */
  const replace = ({ entries, revision: at }: Listing): void => {
    const listed = new Set(entries.map(({ key }) => key));
    for (const key of [...known.keys()]) if (!listed.has(key)) remove(key);
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

  const poll = async (signal: AbortSignal): Promise<void> => {
    for (let look = 0; look < looks; look += 1) {
      if (agrees(await registry.fingerprint(signal))) return;
      await sleep(lookPauseMs, undefined, { signal });
    }
    throw new PollDiffersError('the poll found what the watch did not tell; listing anew');
  };

  const session = async (healthy: () => void, signal: AbortSignal): Promise<void> => {
    const listing = await registry.list(signal);
    replace(listing);
    live = true;
    healthy();
    onChange('listed');
    await runTasks(
      [(both) => registry.watch(listing.revision, applyEvents, both), (both) => every(pollMs, () => poll(both), both)],
      signal,
    );
  };

  return {
    catalog: () => index.catalog(),
    entries: () => [...known.values()].map(({ entry }) => entry),
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
