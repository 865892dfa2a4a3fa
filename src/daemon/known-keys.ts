import { staleRecordOf, type CatalogRecord, type LeasedEntry, type Problem } from '../core/catalog.js';
import type { CatalogIndex } from '../core/catalog-index.js';
import { createKeyAdmission } from '../core/key-admission.js';
import type { LastKnownGood } from '../core/last-known-good.js';
import type { DiscoverLimits } from '../core/limits.js';
import type { Logger } from '../ports/log.js';
import type { Fingerprint, HeldEntry } from '../ports/registry.js';
import type { Judge, Judged } from './judge.js';
import type { ListedKeys } from './listed-keys.js';
import type { StaleKeys } from './stale-keys.js';

/** What stands in etcd, and is taken. It keeps the catalog in step. */
export interface KnownKeys {
  /** A listing: a key that stands as it is known stays, so that one that brings nothing new changes nothing. */
  replace(listed: ListedKeys): void;
  /** The watch told of a put. @returns what it says, null where it is left out, and whether anything is other than before */
  put(entry: HeldEntry): { readonly record: CatalogRecord | null; readonly isOther: boolean };
  /** The watch told of a delete. @returns whether anything is other than before */
  delete(key: string): boolean;
  /** Somebody else is believed now: these entries may say another thing than before. */
  judgeAnew(isDoubtful: (entry: LeasedEntry) => boolean): void;
  /** The watch has told everything up to this revision. */
  advance(revision: number): void;
  valueOf(key: string): string | undefined;
  has(key: string): boolean;
  /** Whether one that stands, and is taken, hangs on this lease. */
  isHeld(lease: string): boolean;
  /** How many stand in etcd, those that are left out too. */
  standing(): number;
  /** Whether etcd has what is known here, as far as the poll can tell. */
  agrees(found: Fingerprint): boolean;
  /** What stands in etcd, is taken, and keeps to the grammar. */
  entries(): LeasedEntry[];
  revision(): number;
  /** Why keys are left out that are more than the limits allow; the same object until it changes. */
  leftOut(): readonly Problem[];
  /** How many, by the limit. */
  leftOutCounts(): Readonly<Record<'keys' | 'keysPerLease', number>>;
  /** There may be room for some of them: a listing tells. */
  hasRoom(): boolean;
}

interface KnownKeysOptions {
  readonly prefix: string;
  readonly limits: DiscoverLimits;
  readonly judge: Judge;
  readonly index: CatalogIndex;
  readonly missed: Pick<StaleKeys, 'miss' | 'heard' | 'forget' | 'restore' | 'entries'>;
  /** What stood there when the daemon last ran. */
  readonly initial: Pick<LastKnownGood, 'revision' | 'entries' | 'stale'>;
  readonly log: Logger;
}

interface Known extends Judged {
  readonly modRevision: number;
  /** Its value is not kept. */
  readonly isEmptied: boolean;
}

export function createKnownKeys({ prefix, limits, judge, index, missed, initial, log }: KnownKeysOptions): KnownKeys {
  const known = new Map<string, Known>();
  let admission = createKeyAdmission(limits);
  let revision = initial.revision;

  const take = (entry: LeasedEntry, modRevision: number): CatalogRecord => {
    const there = known.get(entry.key);
    const record = judge.recordOf(entry, there?.isEmptied === true ? undefined : there);
    // What breaks the grammar is told of; its value may be long, and is of no more use.
    const isEmptied = record.kind === 'rejected' && judge.isHopeless(entry);
    known.set(entry.key, { entry: isEmptied ? { ...entry, value: '' } : entry, modRevision, record, isEmptied });
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
  /** It stands in etcd, and is left out. */
  const drop = (key: string): void => {
    known.delete(key);
    missed.forget([key]);
    index.delete(key);
  };
  for (const entry of initial.entries) {
    const { isTaken, out } = admission.add(entry);
    out.forEach(drop);
    if (isTaken) take(entry, 0);
  }
  for (const entry of initial.stale) {
    if (judge.recordOf(entry).kind === 'rejected') continue;
    missed.restore(entry);
    missed.forget(index.set(staleRecordOf(prefix, entry)));
  }

  return {
    replace({ entries, standing, revision: at, ...listed }) {
      const reborn = at < revision;
      if (reborn)
        log.warn({ revision: at, before: revision }, 'etcd has lost its data: it counts from an earlier revision');
      for (const key of [...known.keys()]) {
        if (entries.has(key)) continue;
        if (standing.has(key)) drop(key);
        else remove(key, reborn);
      }
      for (const entry of entries.values()) {
        const there = known.get(entry.key);
        // Revisions alone prove nothing: it may be another etcd, which began to count anew.
        const stands =
          there?.isEmptied === false &&
          there.modRevision === entry.modRevision &&
          there.entry.createRevision === entry.createRevision &&
          there.entry.value === entry.value;
        if (!stands) take(entry, entry.modRevision);
      }
      ({ admission } = listed);
      revision = at;
    },

    put(entry) {
      const isNew = entry.createRevision === entry.modRevision;
      const { isTaken, out } = isNew ? admission.add(entry) : admission.alter(entry);
      out.forEach(drop);
      if (isTaken) return { record: take(entry, entry.modRevision), isOther: true };
      drop(entry.key);
      return { record: null, isOther: out.length > 0 };
    },

    delete(key) {
      const isServed = known.has(key);
      admission.delete(key);
      remove(key);
      return isServed;
    },

    judgeAnew(isDoubtful) {
      for (const there of [...known.values()].filter(({ entry, isEmptied }) => !isEmptied && isDoubtful(entry))) {
        const record = judge.recordOf(there.entry);
        known.set(there.entry.key, { ...there, record });
        missed.forget(index.set(record));
      }
      const rejected = missed.entries().filter((entry) => judge.recordOf(entry).kind === 'rejected');
      missed.forget(rejected.map(({ key }) => key));
      for (const { key } of rejected) index.delete(key);
    },

    agrees({ count, latest }) {
      let ours = 0;
      for (const { modRevision } of known.values()) ours = Math.max(ours, modRevision);
      if (admission.standing !== count) return false;
      // The youngest may be one that is left out, of which the watch has told.
      return known.size === count ? ours === latest : ours <= latest && latest <= revision;
    },

    advance(at) {
      revision = at;
    },
    standing: () => admission.standing,
    valueOf: (key) => known.get(key)?.entry.value,
    has: (key) => known.has(key),
    isHeld: (lease) => admission.isHeld(lease),
    entries: () => [...known.values()].flatMap(({ entry, record }) => (record.kind === 'rejected' ? [] : [entry])),
    revision: () => revision,
    leftOut: () => admission.problems(),
    leftOutCounts: () => admission.leftOut(),
    hasRoom: () => admission.hasRoom,
  };
}
