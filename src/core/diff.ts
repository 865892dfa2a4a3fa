import { withoutTime } from './keyspace.js';

/** What has to be put and deleted so that `held` becomes `desired`. */
export interface Diff {
  readonly puts: readonly { readonly key: string; readonly value: string }[];
  readonly deletes: readonly string[];
}

/**
 * A value of which only the time is another is not put again: nothing has happened to what it says.
 *
 * @param among keys that may differ; where it is not known which, all
 */
export function diffOf(
  desired: ReadonlyMap<string, string>,
  held: ReadonlyMap<string, string>,
  among: Iterable<string> = new Set([...desired.keys(), ...held.keys()]),
): Diff {
  const puts: { key: string; value: string }[] = [];
  const deletes: string[] = [];
  for (const key of among) {
    const value = desired.get(key);
    if (value !== undefined && !isSame(value, held.get(key))) puts.push({ key, value });
    if (value === undefined && held.has(key)) deletes.push(key);
  }
  return { puts, deletes };
}

function isSame(value: string, held: string | undefined): boolean {
  return held !== undefined && (held === value || withoutTime(held) === withoutTime(value));
}
