import { expect, test } from 'vitest';
import { trendOf, type Series } from '../../chaos/trend.js';

const minutes = 30;

/** A sample every five seconds. */
const series = (valueAt: (minute: number) => number): Series => ({
  name: 'some daemon, memory',
  unit: 'MiB',
  points: Array.from({ length: minutes * 12 }, (_, n) => ({ atMs: n * 5_000, value: valueAt(n / 12) })),
});

test('what stays, or goes up and down, does not rise', () => {
  expect(trendOf(series(() => 80))).toMatchObject({ perHour: 0, rises: false });
  expect(trendOf(series((minute) => 80 + 5 * Math.sin(minute * 3))).rises).toBe(false);
});

test('what only warms up in the first third does not rise', () => {
  expect(trendOf(series((minute) => 80 + Math.min(minute, 9)))).toMatchObject({ first: 89, last: 89, rises: false });
});

test('a step does not rise, wherever it is', () => {
  for (const at of [11, 15, 19.9, 20, 25, 29])
    expect(trendOf(series((minute) => (minute < at ? 80 : 88))).rises).toBe(false);
});

test('what leaks rises, however it wobbles', () => {
  const trend = trendOf(series((minute) => 80 + minute / 2 + 3 * Math.sin(minute * 5)));
  expect(trend.perHour).toBeGreaterThan(20);
  expect(trend.perHour).toBeLessThan(40);
  expect(trend.rises).toBe(true);
});
