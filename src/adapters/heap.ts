import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So much garbage may gather, in % of what is alive. */
const growingPercent = 60;

/**
 * Collects the garbage of the start, and keeps the heap close to what is alive from now on; V8 would let it grow to several
 * times that. Not while the daemon starts, where collecting again and again what is still growing would double its work. The flag
 * is V8's own (`node --v8-options`), read anew at each collection; NODE_OPTIONS does not take it.
 */
export function trimHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${String(growingPercent)}`);
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') (collect as () => void)();
}
