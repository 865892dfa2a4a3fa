import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGroups } from '../../../src/core/groups.js';

interface Item {
  readonly key: string;
  readonly at: number;
}

const anyAct = fc.record({
  what: fc.constantFrom('add', 'delete'),
  name: fc.constantFrom('a', 'b'),
  key: fc.constantFrom('1', '2', '3'),
});

test('has of each name what was added and not deleted, in order, the last of each key', () => {
  fc.assert(
    fc.property(fc.array(anyAct, { maxLength: 40 }), (acts) => {
      const groups = createGroups<Item>();
      const expected = new Map([
        ['a', new Map<string, Item>()],
        ['b', new Map<string, Item>()],
      ]);
      acts.forEach(({ what, name, key }, at) => {
        if (what === 'add') {
          groups.add(name, { key, at });
          expected.get(name)?.set(key, { key, at });
        } else {
          groups.delete(name, key);
          expected.get(name)?.delete(key);
        }
        for (const [each, items] of expected) {
          expect(groups.of(each)).toEqual([...items.values()]);
          expect(groups.first(each)).toEqual([...items.values()][0]);
        }
      });
    }),
  );
});
