import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So much garbage may gather, in % of what is alive: while a daemon starts, when most of what it makes stays, and from then on. */
const growingPercent = { start: 200, later: 60 } as const;

/**
 * V8 would let the heap of a start grow to four times what is alive, and keep it. The flag is V8's own (`node --v8-options`), read anew at
 * each collection; NODE_OPTIONS does not take it.
 */
export function boundHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${String(growingPercent.start)}`);
}

/**
 * Collects the garbage of the start, and keeps the heap closer to what is alive from now on. Not while the daemon starts: to collect again and
 * again what is still growing would double its work.
 */
export function trimHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${String(growingPercent.later)}`);
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') (collect as () => void)();
}
