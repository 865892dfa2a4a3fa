import fc from 'fast-check';
import type { Kit } from './kit.js';
import type { Target } from './targets.js';

/** A case that came out wrong, as small as it could be made. */
export interface Finding {
  readonly target: string;
  /** With this seed the first batch of the target finds it again. */
  readonly seed: number;
  readonly runs: number;
  readonly counterexample: string;
  readonly error: string;
}

/** Cases of a batch of all targets; each has its share. */
export const batchSize = 1_000;

/** A batch of one target. */
export function runBatch(
  target: Target,
  { seed, runs, kit }: { seed: number; runs: number; kit: Kit },
): Finding | null {
  // What depends on how many cases there were depends on the batch alone.
  kit.cases = 0;
  const result = fc.check(target.propertyWith(kit), { seed, numRuns: runs });
  if (!result.failed) return null;
  const [value] = result.counterexample ?? [];
  const error = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  return { target: target.name, seed, runs, counterexample: fc.stringify(value), error };
}
