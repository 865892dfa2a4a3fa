import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReloadPace } from '../../../../src/core/haproxy/reload-pace.js';

/** Reloads as soon as they may, each wanted so long after the one before. @returns when they came */
function reloads(wantedAfterMs: readonly number[], intervalMs = 1_000, random = 0): number[] {
  const pace = createReloadPace(intervalMs);
  const at: number[] = [];
  let due = 0;
  for (const afterMs of wantedAfterMs) {
    const now = Math.max(due, (at.at(-1) ?? 0) + afterMs);
    at.push(now);
    due = pace.reloaded(now, random);
  }
  return at;
}

const distances = (at: readonly number[]): number[] => at.slice(1).map((now, n) => now - (at[n] ?? 0));

describe('the next reload', () => {
  test('waits for the interval, and up to a fifth longer', () => {
    expect(distances(reloads([0, 0, 0]))).toEqual([1_000, 1_000]);
    expect(distances(reloads([0, 0, 0], 1_000, 1))).toEqual([1_200, 1_200]);
  });

  test('waits once for checks to find what is frozen, where reloads came for half a minute without a rest', () => {
    const between = distances(reloads(Array<number>(20).fill(4_000)));
    expect(between).toEqual([...Array<number>(8).fill(4_000), 10_000, ...Array<number>(8).fill(4_000), 10_000, 4_000]);
  });

  test('waits for nothing more where there was a rest', () => {
    const wanted = Array.from({ length: 20 }, (_, n) => (n % 4 === 3 ? 10_000 : 9_000));
    expect(distances(reloads(wanted))).toEqual(wanted.slice(1));
  });

  test('waits for a longer interval as ever', () => {
    expect(distances(reloads(Array<number>(9).fill(0), 20_000))).toEqual(Array<number>(8).fill(20_000));
  });
});

test('however reloads are wanted, in any 51 s there are 10 without one', () => {
  const wants = fc.array(fc.integer({ min: 0, max: 15_000 }), { minLength: 2, maxLength: 100 });
  fc.assert(
    fc.property(wants, fc.constantFrom(1_000, 3_000), (wanted, intervalMs) => {
      const at = reloads(wanted, intervalMs);
      for (const from of at) {
        const within = [from, ...at.filter((ms) => ms > from && ms < from + 51_000), from + 51_000];
        expect(Math.max(...distances(within))).toBeGreaterThanOrEqual(10_000);
      }
    }),
  );
});
