import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faultKinds, kindOf } from '../../chaos/kinds.js';
import { lineOf, planOf, recoveryMsOf, type PlannedFault } from '../../chaos/plan.js';

const anySeed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const endMs = 10 * 60_000;
const kinds = faultKinds;

test('the same seed is the same plan, and another seed another', () => {
  expect(planOf({ seed: 7, endMs, kinds })).toEqual(planOf({ seed: 7, endMs, kinds }));
  expect(planOf({ seed: 7, endMs, kinds })).not.toEqual(planOf({ seed: 8, endMs, kinds }));
});

test('every fault ends in time, and lasts as long as its kind may', () => {
  fc.assert(
    fc.property(anySeed, (seed) => {
      for (const { kind, atMs, durationMs } of planOf({ seed, endMs, kinds })) {
        expect(atMs + durationMs).toBeLessThanOrEqual(endMs);
        expect(durationMs).toBeGreaterThanOrEqual(kindOf(kind).leastMs);
        expect(durationMs).toBeLessThanOrEqual(kindOf(kind).mostMs);
      }
    }),
    { numRuns: 30 },
  );
});

test('no two faults at once take the same, so that those of one back-end host stay', () => {
  const overlap = (a: PlannedFault, b: PlannedFault): boolean =>
    a.atMs < b.atMs + b.durationMs + recoveryMsOf(b.takes) && b.atMs < a.atMs + a.durationMs + recoveryMsOf(a.takes);
  fc.assert(
    fc.property(anySeed, (seed) => {
      const plan = planOf({ seed, endMs, kinds });
      for (const [at, fault] of plan.entries())
        for (const other of plan.slice(at + 1))
          if (overlap(fault, other)) expect(fault.takes.filter((thing) => other.takes.includes(thing))).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test('what reaches the endpoints of a whole host takes the capacity, which is there once', () => {
  const takers = faultKinds.filter((kind) =>
    kindOf(kind).targets.some((target) => kindOf(kind).takes(target).includes('capacity')),
  );
  expect(takers.sort()).toEqual(['engine-kill', 'link-cut', 'link-slow']);
});

test('ten minutes have every kind, and faults that overlap', () => {
  const plan = planOf({ seed: 1, endMs, kinds });
  expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
  expect(plan.some(({ atMs, durationMs }, at) => (plan[at + 1]?.atMs ?? endMs) < atMs + durationMs)).toBe(true);
});

test('some kinds only', () => {
  const plan = planOf({ seed: 1, endMs, kinds: ['worker-kill', 'register-kill'] });
  expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(['worker-kill', 'register-kill']));
});

test('a line tells who is hit, when, and for how long', () => {
  const fault: PlannedFault = { kind: 'link-cut', target: 'backend-1', atMs: 65_000, durationMs: 2_500, takes: [] };
  expect(lineOf(fault)).toBe('t+01:05  link-cut on backend-1, 2.5 s');
});
