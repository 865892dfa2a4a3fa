import { recordOf, type CatalogRecord, type LeasedEntry } from '../core/catalog.js';
import { areAlike, type Trust } from '../core/signers.js';

/** An entry, and what it was found to say. */
export interface Judged {
  readonly entry: LeasedEntry;
  readonly record: CatalogRecord;
}

/** Tells what entries say, by who is believed just now. To look at a signature takes time, so it is done once. */
export interface Judge {
  /** @param before what stood under the key; where the same stands there, it says the same */
  recordOf(entry: LeasedEntry, before?: Judged): CatalogRecord;
  /** It breaks the grammar: whoever is believed, it is rejected. */
  isHopeless(entry: LeasedEntry): boolean;
  /** Somebody else is believed now: tells which entries may say another thing than before. Null where it is as it was. */
  renew(): ((entry: LeasedEntry) => boolean) | null;
}

/** @param trust the same object until it is another; null: everybody is believed */
export function createJudge(prefix: string, trust: () => Trust | null): Judge {
  let current = trust();
  return {
    recordOf: (entry, before) =>
      before?.entry.value === entry.value && before.entry.createRevision === entry.createRevision
        ? before.record
        : recordOf(prefix, entry, current),
    isHopeless: (entry) => recordOf(prefix, entry).kind === 'rejected',
    renew() {
      const [before, now] = [current, trust()];
      if (before === now) return null;
      current = now;
      return ({ value }) => before === null || now === null || !areAlike(before, now, value);
    },
  };
}
