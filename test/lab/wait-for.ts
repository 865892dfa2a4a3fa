import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/** Notes a value for the message of a time-out, and hands it on. */
export type Seen = <V>(value: V) => V;

/**
 * Asks again and again until the predicate's answer is truthy, and returns that answer. A predicate that throws is "not yet":
 * what it threw is then the last thing seen.
 *
 *     await waitFor('two keys', async (seen) => seen(await keys()).length === 2);
 */
export async function waitFor<T>(
  what: string,
  predicate: (seen: Seen) => T | Promise<T>,
  { timeoutMs = 30_000, intervalMs = 100 }: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const startedAt = performance.now();
  let last: unknown;
  const seen: Seen = (value) => {
    last = value;
    return value;
  };
  for (;;) {
    try {
      const answer = await predicate(seen);
      if (answer) return answer as Exclude<T, false | null | undefined | 0 | ''>;
      last ??= answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() - startedAt > timeoutMs) {
      const shown = last instanceof Error ? last.message : inspect(last, { depth: 5, breakLength: 120 });
      throw new Error(`waited ${(timeoutMs / 1000).toFixed(1)} s for ${what}; last seen: ${shown}`, {
        ...(last instanceof Error && { cause: last }),
      });
    }
    await sleep(intervalMs);
  }
}
