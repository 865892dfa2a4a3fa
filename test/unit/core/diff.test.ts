import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffOf } from '../../../src/core/diff.js';

test('puts what is new or changed, deletes what is gone, and leaves the rest alone', () => {
  const desired = new Map([
    ['new', '1'],
    ['changed', '2'],
    ['same', '3'],
  ]);
  const held = new Map([
    ['changed', 'x'],
    ['same', '3'],
    ['gone', '4'],
  ]);
  expect(diffOf(desired, held)).toEqual({
    puts: [
      { key: 'new', value: '1' },
      { key: 'changed', value: '2' },
    ],
    deletes: ['gone'],
  });
});

test('applied, it makes what is held into what is desired', () => {
  const keys = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom<string>('1', '2'));
  fc.assert(
    fc.property(keys, keys, (desired, held) => {
      const result = new Map(Object.entries(held));
      const { puts, deletes } = diffOf(new Map(Object.entries(desired)), result);
      for (const key of deletes) result.delete(key);
      for (const { key, value } of puts) result.set(key, value);
      expect(Object.fromEntries(result)).toEqual({ ...desired });
    }),
  );
});
