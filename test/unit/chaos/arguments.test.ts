import { expect, test } from 'vitest';
import { parseArguments } from '../../chaos/arguments.js';
import { faultKinds } from '../../chaos/kinds.js';

const defaults = { minutes: 2, seed: 1 };

test('the defaults where nothing is asked for', () => {
  expect(parseArguments([], defaults)).toEqual({ ...defaults, kinds: faultKinds });
});

test('minutes and seed in any order', () => {
  expect(parseArguments(['--seed', '4294967295', '--minutes', '0.5'], defaults)).toEqual({
    minutes: 0.5,
    seed: 4294967295,
    kinds: faultKinds,
  });
});

test('some faults only', () => {
  const only = (text: string): unknown => parseArguments(['--only', text], defaults);
  expect(only('etcd-kill,register-kill')).toMatchObject({ kinds: ['etcd-kill', 'register-kill'] });
  expect(only('etcd-kill,fire')).toMatch(/^--only etcd-kill,fire: there is no "fire", but etcd-kill, etcd-stop/);
  expect(only('')).toMatch(/there is no ""/);
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
