import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareText, type Problem } from '../../../src/core/catalog.js';
import { problemChanges } from '../../../src/core/problem-changes.js';

const keysOf = (problems: readonly Problem[]): string[] => problems.map(({ key }) => key);
const list = (...keys: string[]): Problem[] => keys.map((key) => ({ key, reason: 'r' }));

test('what came and what went, in each list', () => {
  const { went, came } = problemChanges([list('a', 'b', 'd'), list('x')], [list('b', 'c', 'd', 'e'), [], list('z')]);
  expect([keysOf(went), keysOf(came)]).toEqual([
    ['a', 'x'],
    ['c', 'e', 'z'],
  ]);
});

test('a problem whose reason changed went and came', () => {
  const now = [{ key: 'a', reason: 'other' }];
  expect(problemChanges([list('a')], [now])).toEqual({ went: list('a'), came: now });
});

test('a list that is the same object is not looked at', () => {
  const untouchable = new Proxy(list('a'), {
    get() {
      throw new Error('looked at');
    },
  });
  expect(problemChanges([untouchable, list('b')], [untouchable, []])).toEqual({ went: list('b'), came: [] });
});

test('a hundred thousand that end at once are no more than a list', () => {
  const keys = Array.from({ length: 200_000 }, (_, n) => String(1_000_000 + n));
  const many = keys.map((key) => ({ key, reason: 'r' }));
  expect(problemChanges([many], [[]]).went).toHaveLength(200_000);
  expect(problemChanges([[]], [many]).came).toHaveLength(200_000);
});

test('applied to what was, gives what is', () => {
  const sorted = fc
    .uniqueArray(fc.record({ key: fc.string({ maxLength: 2 }), reason: fc.constantFrom('p', 'q') }), {
      selector: ({ key }) => key,
    })
    .map((problems) => problems.sort((a, b) => compareText(a.key, b.key)));
  fc.assert(
    fc.property(sorted, sorted, (before, after) => {
      const { went, came } = problemChanges([before], [after]);
      const kept = before.filter((problem) => !went.includes(problem));
      expect([...kept, ...came].sort((a, b) => compareText(a.key, b.key))).toEqual(after);
    }),
  );
});
