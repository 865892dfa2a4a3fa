import { expect, test } from 'vitest';
import { nearMissOf } from '../../../src/core/near-miss.js';

const known = ['weight', 'mode', 'name', 'zone', 'check', 'check-status', 'balance', 'port'];

test.each([
  ['wieght', 'weight'],
  ['wight', 'weight'],
  ['weigght', 'weight'],
  ['weigth', 'weight'],
  ['waight', 'weight'],
  ['naem', 'name'],
  ['prot', 'port'],
  ['chek-status', 'check-status'],
  ['balanc', 'balance'],
])('%s is nearly %s', (word, meant) => {
  expect(nearMissOf(word, known)).toBe(meant);
});

test.each(['weight', 'weights', 'mode', 'model', 'node', 'code', 'zones', 'region', 'track', 'wgt', '', 'owner'])(
  '%j is a word of its own',
  (word) => {
    expect(nearMissOf(word, known)).toBeNull();
  },
);
