import { compareText } from './catalog.js';

/** Items by name, and the list of them in order, which is the same one until an item changes. */
export interface Sorted<T> {
  has(name: string): boolean;
  get(name: string): T | undefined;
  set(item: T): void;
  delete(name: string): void;
  values(): readonly T[];
}

export function createSorted<T>(nameOf: (item: T) => string): Sorted<T> {
  const items = new Map<string, T>();
  /** In order, but for what came and went since the last look. */
  let names: readonly string[] = [];
  let came = new Set<string>();
  let isOrdered = true;
  let list: readonly T[] | null = [];
  const inOrder = (): T[] => {
    const ordered: T[] = [];
    for (const name of names) {
      const item = items.get(name);
      if (item !== undefined) ordered.push(item);
    }
    return ordered;
  };
  return {
    has: (name) => items.has(name),
    get: (name) => items.get(name),
    set(item) {
      const name = nameOf(item);
      if (!items.has(name)) {
        came.add(name);
        isOrdered = false;
      }
      list = null;
      items.set(name, item);
    },
    delete(name) {
      if (!items.delete(name)) return;
      came.delete(name);
      isOrdered = false;
      list = null;
    },
    values() {
      if (!isOrdered) {
        // Two runs, of which the first is in order already: to sort them is to merge them.
        const stayed = names.filter((name) => items.has(name) && !came.has(name));
        names = [...stayed, ...[...came].sort(compareText)].sort(compareText);
        came = new Set();
        isOrdered = true;
      }
      list ??= inOrder();
      return list;
    },
  };
}
