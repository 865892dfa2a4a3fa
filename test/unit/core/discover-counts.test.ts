import { expect, test } from 'vitest';
import { countsOf } from '../../../src/core/discover-counts.js';
import { listenerWith, modelWith, serverWith } from '../support/models.js';

test('counts what is served, what of it is stale, and what is not served', () => {
  const model = modelWith(
    listenerWith({ servers: [serverWith({ name: 'a' }), serverWith({ name: 'b', stale: true })] }),
    listenerWith({ service: 'lingers', port: 81, servers: [] }),
  );
  const problems = (count: number): { key: string; reason: string }[] =>
    Array(count).fill({ key: 'k', reason: 'r' }) as [];
  const lists = [2, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(problems);
  expect(countsOf(model, lists, { keys: 10, keysPerLease: 20 })).toEqual({
    services: 2,
    listeners: 2,
    endpoints: 2,
    stale: 1,
    notServed: { refused: 1, forbidden: 2, conflicting: 3, rejected: 4, barred: 5, certificate: 6, limit: 54 },
    overLimit: { key_bytes: 0, value_bytes: 0, keys: 10, keys_per_lease: 20, services: 7, endpoints: 8, listeners: 9 },
  });
});

test('counts what is rejected for its size beside the limits, and not once more', () => {
  const rejected = [
    { key: 'a', reason: 'r' },
    { key: 'b', reason: 'r', limit: 'key_bytes' },
    { key: 'c', reason: 'r', limit: 'value_bytes' },
    { key: 'd', reason: 'r', limit: 'value_bytes' },
  ] as const;
  expect(countsOf(modelWith(), [[], [], [], [], rejected])).toMatchObject({
    notServed: { rejected: 1, limit: 3 },
    overLimit: { key_bytes: 1, value_bytes: 2 },
  });
});
