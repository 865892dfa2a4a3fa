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

test('a value of which only the time is another is left alone', () => {
  const held = new Map([['a', '10.0.0.1:1?port=80&at=2026-11-27T01:20:11.123Z']]);
  const desired = (value: string): Map<string, string> => new Map([['a', value]]);
  expect(diffOf(desired('10.0.0.1:1?port=80'), held).puts).toEqual([]);
  expect(diffOf(desired('10.0.0.1:1?port=80&at=2026-11-27T02:00:00.000Z'), held).puts).toEqual([]);
  expect(diffOf(desired('10.0.0.1:1?port=80&state=drain&at=2026-11-27T02:00:00.000Z'), held).puts).toHaveLength(1);
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
