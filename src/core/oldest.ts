import { compareText } from './catalog.js';

/** A key, and how long it has stood. */
export interface Aged {
  readonly key: string;
  readonly createRevision: number;
}

/** The oldest first; keys of one transaction share their create revision, so the key decides then. */
export function byAge(a: Aged, b: Aged): number {
  return a.createRevision - b.createRevision || compareText(a.key, b.key);
}

/**
 * The oldest of all that were offered, so many at the most: the same ones in whatever order they come. What is not among them is
 * forgotten.
 */
export interface Oldest<T extends Aged> {
  /** @returns what is not among the oldest: this one, another that gives way to it, or null */
  offer(item: T): T | null;
  get(key: string): T | undefined;
  delete(key: string): void;
  values(): Iterable<T>;
  readonly size: number;
}

/** What an offer costs grows with the logarithm of their number, and is next to nothing while there is room. */
export function createOldest<T extends Aged>(most: number): Oldest<T> {
  const items = new Map<string, T>();
  /** A heap with the youngest on top, once there was no room; items that have gone since are in it too. */
  let heap: T[] | null = null;

  const push = (item: T): void => {
    if (heap === null) return;
    if (heap.length > 2 * items.size + 64) heap = heapOf(items.values());
    else {
      heap.push(item);
      rise(heap, heap.length - 1);
    }
  };
  const youngest = (): T | undefined => {
    heap ??= heapOf(items.values());
    for (let [top] = heap; top !== undefined; [top] = heap) {
      if (items.get(top.key) === top) return top;
      pop(heap);
    }
    return undefined;
  };

  return {
    offer(item) {
      if (items.has(item.key) || items.size < most) {
        items.set(item.key, item);
        push(item);
        return null;
      }
      const last = youngest();
      if (last === undefined || byAge(item, last) > 0) return item;
      items.delete(last.key);
      items.set(item.key, item);
      push(item);
      return last;
    },
    get: (key) => items.get(key),
    delete(key) {
      items.delete(key);
      if (items.size < most / 2) heap = null;
    },
    values: () => items.values(),
    get size() {
      return items.size;
    },
  };
}

/** A sorted list is a heap. */
function heapOf<T extends Aged>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => byAge(b, a));
}

function pop(heap: Aged[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  sink(heap);
}

function rise(heap: Aged[], from: number): void {
  for (let at = from; at > 0;) {
    const above = (at - 1) >> 1;
    if (!swapIfYounger(heap, at, above)) return;
    at = above;
  }
}

function sink(heap: Aged[]): void {
  for (let at = 0; ;) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    const [a, b] = [heap[left], heap[right]];
    if (a === undefined) return;
    const child = b !== undefined && byAge(b, a) > 0 ? right : left;
    if (!swapIfYounger(heap, child, at)) return;
    at = child;
  }
}

/** @returns whether the lower one was the younger */
function swapIfYounger(heap: Aged[], lower: number, upper: number): boolean {
  const [below, above] = [heap[lower], heap[upper]];
  if (below === undefined || above === undefined || byAge(below, above) <= 0) return false;
  heap[lower] = above;
  heap[upper] = below;
  return true;
}
