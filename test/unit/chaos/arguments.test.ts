import { expect, test } from 'vitest';
import { parseArguments } from '../../chaos/arguments.js';

const defaults = { minutes: 2, seed: 1 };

test('the defaults where nothing is asked for', () => {
  expect(parseArguments([], defaults)).toEqual(defaults);
});

test('minutes and seed in any order', () => {
  expect(parseArguments(['--seed', '4294967295', '--minutes', '0.5'], defaults)).toEqual({
    minutes: 0.5,
    seed: 4294967295,
  });
});

test.each([
  ['--hours', '1'],
  ['--minutes'],
  ['--minutes', '0'],
  ['--minutes', 'x'],
  ['--seed', '-1'],
  ['--seed', '4294967296'],
  ['2'],
])('not: %s %s', (...args) => {
  expect(parseArguments(args, defaults)).toMatch(/it takes --minutes N/);
});
