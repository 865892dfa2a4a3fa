import { expect, test } from 'vitest';
import { listenerMaxconnOf } from '../../../../src/core/haproxy/capacity.js';

test.each([
  [Infinity, 10_000],
  [1_048_576, 10_000],
  [200_000, 10_000],
  [null, 10_000],
  [65_536, 3_276],
  [4_096, 204],
  [1_024, 100],
  [0, 100],
])('with %j open files, one listener may have %i connections', (limit, connections) => {
  expect(listenerMaxconnOf(limit)).toBe(connections);
});
