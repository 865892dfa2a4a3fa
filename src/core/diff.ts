import { withoutTime } from './keyspace.js';

/** What has to be put and deleted so that `held` becomes `desired`. */
export interface Diff {
  readonly puts: readonly { readonly key: string; readonly value: string }[];
  readonly deletes: readonly string[];
}

/** A value of which only the time is another is not put again: nothing has happened to what it says. */
export function diffOf(desired: ReadonlyMap<string, string>, held: ReadonlyMap<string, string>): Diff {
  const puts = [...desired]
    .filter(([key, value]) => !isSame(value, held.get(key)))
    .map(([key, value]) => ({ key, value }));
  const deletes = [...held.keys()].filter((key) => !desired.has(key));
  return { puts, deletes };
}

function isSame(value: string, held: string | undefined): boolean {
  return held !== undefined && (held === value || withoutTime(held) === withoutTime(value));
}
