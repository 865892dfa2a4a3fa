import type { CatalogRecord, LeasedEntry } from '../core/catalog.js';
import { sizedRecordOf, type Judgement } from '../core/entry-size.js';
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
  /** It breaks the grammar, or is too long: whoever is believed, it is rejected. */
  isHopeless(entry: LeasedEntry): boolean;
  /** Somebody else is believed now: tells which entries may say another thing than before. Null where it is as it was. */
  renew(): ((entry: LeasedEntry) => boolean) | null;
}

interface JudgeOptions extends Pick<Judgement, 'prefix' | 'limits'> {
  /** The same object until it is another; null: everybody is believed. */
  readonly trust: () => Trust | null;
}

export function createJudge({ trust, ...others }: JudgeOptions): Judge {
  let current = trust();
  return {
    recordOf: (entry, before) =>
      before?.entry.value === entry.value && before.entry.createRevision === entry.createRevision
        ? before.record
        : sizedRecordOf(entry, { ...others, trust: current }),
    isHopeless: (entry) => sizedRecordOf(entry, { ...others, trust: null }).kind === 'rejected',
    renew() {
      const [before, now] = [current, trust()];
      if (before === now) return null;
      current = now;
      return ({ value }) => before === null || now === null || !areAlike(before, now, value);
    },
  };
}
