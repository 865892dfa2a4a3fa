import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/core/duration.js';
import { accepted, reasonOf } from '../support/parsed.js';

test.each([
  ['500ms', 500],
  ['15s', 15_000],
  ['1.5s', 1_500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['0s', 0],
  [' 15s ', 15_000],
])('%j is %d ms', (text, ms) => {
  expect(accepted(parseDuration(text))).toBe(ms);
});

test.each(['', '15', 's', '15 s', '-1s', '1e3s', '1d', '15S', '1.2345s', '.5s', '1m30s', 'Infinitys', '1234567890s'])(
  '%j is refused, with examples of what is one',
  (text) => {
    expect(reasonOf(parseDuration(text))).toBe(
      'is not a duration: give a number and a unit, like 500ms, 15s, 2m or 1h',
    );
  },
);

test.each([
  [0, '0ms'],
  [999, '999ms'],
  [1_500, '1500ms'],
  [15_000, '15s'],
  [90_000, '90s'],
  [120_000, '2m'],
  [7_200_000, '2h'],
])('%d ms is shown in the largest unit that shows it whole', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('a duration that is shown can be given', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), (ms) => {
      expect(accepted(parseDuration(formatDuration(ms)))).toBe(ms);
    }),
  );
});
