import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomOf } from '../../chaos/random.js';

const anySeed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('the same seed is the same sequence, and another seed another', () => {
  const sequence = (seed: number): number[] => {
    const random = randomOf(seed);
    return Array.from({ length: 20 }, () => random.next());
  };
  expect(sequence(1)).toEqual(sequence(1));
  expect(sequence(1)).not.toEqual(sequence(2));
  expect(new Set(sequence(1)).size).toBe(20);
});

test('between has both ends, and nothing beyond them', () => {
  const random = randomOf(1);
  const drawn = new Set(Array.from({ length: 200 }, () => random.between(3, 6)));
  expect([...drawn].sort()).toEqual([3, 4, 5, 6]);
});

test('shuffled has every item once', () => {
  fc.assert(
    fc.property(anySeed, fc.uniqueArray(fc.integer()), (seed, items) => {
      expect(new Set(randomOf(seed).shuffled(items))).toEqual(new Set(items));
      expect(randomOf(seed).shuffled(items)).toHaveLength(items.length);
    }),
  );
});
