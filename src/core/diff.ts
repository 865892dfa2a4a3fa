/** What has to be put and deleted so that `held` becomes `desired`. */
export interface Diff {
  readonly puts: readonly { readonly key: string; readonly value: string }[];
  readonly deletes: readonly string[];
}

export function diffOf(desired: ReadonlyMap<string, string>, held: ReadonlyMap<string, string>): Diff {
  const puts = [...desired].filter(([key, value]) => held.get(key) !== value).map(([key, value]) => ({ key, value }));
  const deletes = [...held.keys()].filter((key) => !desired.has(key));
  return { puts, deletes };
}
