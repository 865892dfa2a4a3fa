import { expect, test } from 'vitest';
import { createGoneKeys } from '../../../src/daemon/gone-keys.js';

test('what was deleted under a lease may be lost once there is another, also where it was deleted before the last listing', () => {
  const gone = createGoneKeys();
  gone.turn('first');
  gone.add('a', '1');
  expect([...gone.lost('first').keys()]).toEqual([]);
  gone.turn('first');
  gone.add('b', '2');
  expect([...gone.lost('second')]).toEqual([
    ['a', '1'],
    ['b', '2'],
  ]);
});

test('what was deleted before two listings that found the lease alive, or was seen to, is not lost', () => {
  const gone = createGoneKeys();
  gone.turn('first');
  gone.add('a', '1');
  gone.turn('first');
  gone.turn('first');
  expect([...gone.lost('second').keys()]).toEqual([]);
  gone.add('b', '2');
  gone.turn('second');
  expect([...gone.lost('third').keys()]).toEqual([]);
});
