import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultBackoff, pauseMsOf } from '../../../src/core/backoff.js';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('doubles from the least pause to the most', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 6].map((attempt) => pauseMsOf(attempt, 0));
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000]);
});

test('never waits longer than the most, nor less than half of the least', () => {
  fc.assert(
    fc.property(fc.nat(), random, (attempt, drawn) => {
      const pauseMs = pauseMsOf(attempt, drawn);
      expect(pauseMs).toBeGreaterThanOrEqual(defaultBackoff.leastMs / 2);
      expect(pauseMs).toBeLessThanOrEqual(defaultBackoff.mostMs);
    }),
  );
});

test('jitters down by up to half, whatever the bounds', () => {
  const bounds = fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1_000, max: 100_000 }));
  fc.assert(
    fc.property(fc.nat(100), random, bounds, (attempt, drawn, [leastMs, mostMs]) => {
      const full = pauseMsOf(attempt, 0, { leastMs, mostMs });
      const jittered = pauseMsOf(attempt, drawn, { leastMs, mostMs });
      expect(jittered).toBeGreaterThanOrEqual(Math.floor(full / 2));
      expect(jittered).toBeLessThanOrEqual(full);
    }),
  );
});
