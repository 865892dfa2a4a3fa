import { setTimeout as sleep } from 'node:timers/promises';
import { recordOf, type CatalogRecord, type Entry } from '../core/catalog.js';
import type { Logger } from '../ports/log.js';
import type { Fingerprint, Listing, Registry, WatchEvent } from '../ports/registry.js';
import { every, runTasks } from './lifecycle.js';
import { retry } from './retry.js';

export interface CatalogSource {
  /** Lists, then watches from there; lists again after every failure of the watch and whenever the poll differs. */
  run(signal: AbortSignal): Promise<void>;
  records(): Iterable<CatalogRecord>;
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

interface Known {
  readonly entry: Entry;
  readonly modRevision: number;
  readonly record: CatalogRecord;
}

export function createCatalogSource({
  registry,
  prefix,
  pollMs,
  initial,
  log,
  onChange,
}: CatalogSourceOptions): CatalogSource {
  const know = (entry: Entry, modRevision: number): [string, Known] => [
    entry.key,
    { entry, modRevision, record: recordOf(prefix, entry) },
  ];
  let known = new Map(initial.entries.map((entry) => know(entry, 0)));
  let revision = initial.revision;
  let live = false;

  const replace = (listing: Listing): void => {
    known = new Map(listing.entries.map((entry) => know(entry, entry.modRevision)));
    revision = listing.revision;
  };

  const applyEvents = (events: readonly WatchEvent[], at: number): void => {
    for (const event of events) {
      if (event.kind === 'delete') known.delete(event.key);
      else known.set(...know(event.entry, event.entry.modRevision));
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
    records: () => [...known.values()].map(({ record }) => record),
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
