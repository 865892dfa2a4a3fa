/** Things with a key of their own, by a name that several may share. */
export interface Groups<T> {
  add(name: string, item: T): void;
  delete(name: string, key: string): void;
  /** In the order in which they came. */
  of(name: string): T[];
  first(name: string): T | undefined;
}

interface Keyed {
  readonly key: string;
}

export function createGroups<T extends Keyed>(): Groups<T> {
  /** Most have a name for themselves, and a map for one of them would take more memory than the item. */
  const groups = new Map<string, T | Map<string, T>>();
  const of = (name: string): T[] => {
    const group = groups.get(name);
    if (group === undefined) return [];
    return group instanceof Map ? [...group.values()] : [group];
  };
  return {
    add(name, item) {
      const group = groups.get(name);
      if (group instanceof Map) group.set(item.key, item);
      else if (group === undefined || group.key === item.key) groups.set(name, item);
      else
        groups.set(
          name,
          new Map([
            [group.key, group],
            [item.key, item],
          ]),
        );
    },

    delete(name, key) {
      const group = groups.get(name);
      if (group instanceof Map) {
        group.delete(key);
        if (group.size === 0) groups.delete(name);
      } else if (group?.key === key) groups.delete(name);
    },

    of,
    first(name) {
      const group = groups.get(name);
      return group instanceof Map ? group.values().next().value : group;
    },
  };
}
