import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logShareOf, unusedQuota, type LogQuota } from '../../../src/core/log-quota.js';

/** What is told at each point in time, of so many that came since the last one: `3 +5` is three one by one and a number. */
function told(steps: readonly (readonly [nowMs: number, came: number])[], whole = false): string[] {
  let quota: LogQuota = unusedQuota;
  let waiting = 0;
  return steps.map(([nowMs, came]) => {
    const pending = waiting + came;
    const share = logShareOf(quota, { pending, whole, nowMs });
    quota = share.quota;
    waiting = pending - share.singles - share.summed;
    return `${String(share.singles)} +${String(share.summed)}`;
  });
}

test.each<[string, (readonly [number, number])[], string[]]>([
  ['few are told one by one', [[0, 3]], ['3 +0']],
  ['of many, twenty are told, and the number of the others', [[0, 100]], ['20 +80']],
  ['what comes in the same minute waits for its end', [[0, 100], [1, 7], [59_999, 7], [60_000, 0]], ['20 +80', '0 +0', '0 +0', '0 +14']], // prettier-ignore
  ['what comes drop by drop has the same twenty lines', [[0, 19], [10, 1], [20, 1], [30, 1]], ['19 +0', '1 +0', '0 +1', '0 +0']], // prettier-ignore
  [
    'a burst that goes on has a number a minute',
    [
      [0, 100],
      [60_000, 50],
      [120_000, 50],
    ],
    ['20 +80', '0 +50', '0 +50'],
  ],
  [
    'after a quiet minute all begins anew',
    [
      [0, 100],
      [60_000, 0],
      [60_001, 21],
    ],
    ['20 +80', '0 +0', '20 +1'],
  ],
  [
    'a minute without a number has all its lines again',
    [
      [0, 20],
      [60_000, 20],
    ],
    ['20 +0', '20 +0'],
  ],
])('%s', (_what, steps, expected) => {
  expect(told(steps)).toEqual(expected);
});

test('where only the whole makes sense, many are a number alone', () => {
  expect(told([[0, 5], [1, 16], [2, 1]], true)).toEqual(['5 +0', '0 +16', '1 +0']); // prettier-ignore
});

test('never are there more than twenty lines and a number in a minute, and nothing is lost', () => {
  const steps = fc.array(fc.tuple(fc.nat(100_000), fc.nat(60)), { maxLength: 40 });
  fc.assert(
    fc.property(steps, fc.boolean(), (gaps, whole) => {
      let nowMs = 0;
      const times = gaps.map(([gapMs, came]) => [(nowMs += gapMs), came] as const);
      const shares = told([...times, [nowMs + 60_000, 0], [nowMs + 120_000, 0]], whole).map((text) =>
        text.split(' +').map(Number),
      );
      const total = shares.reduce((sum, [singles = 0, summed = 0]) => sum + singles + summed, 0);
      expect(total).toBe(gaps.reduce((sum, [, came]) => sum + came, 0));
      // A window of a minute from any step touches two windows of the quota at the most.
      times.forEach(([fromMs], from) => {
        const within = shares.slice(from).filter((_share, at) => (times[from + at]?.[0] ?? Infinity) < fromMs + 60_000);
        expect(within.reduce((sum, [singles = 0]) => sum + singles, 0)).toBeLessThanOrEqual(40);
        expect(within.filter(([, summed = 0]) => summed > 0).length).toBeLessThanOrEqual(2);
      });
    }),
  );
});
