import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byAge, createOldest, type Aged } from '../../../src/core/oldest.js';

const anyItem = fc.record({
  key: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }),
  createRevision: fc.integer({ min: 1, max: 9 }),
});
const anySteps = fc.array(fc.tuple(anyItem, fc.boolean()), { maxLength: 80 });

/** By sorting: what is left out is forgotten, as it is there. */
function naively(most: number, steps: readonly (readonly [Aged, boolean])[]): string[] {
  let items: Aged[] = [];
  for (const [item, isOffer] of steps) {
    items = items.filter(({ key }) => key !== item.key);
    if (isOffer) items = [...items, item].sort(byAge).slice(0, most);
  }
  return items.map(({ key }) => key).sort();
}

test('has the oldest at each time, whatever came, was altered and went', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), anySteps, (most, steps) => {
      const oldest = createOldest(most);
      // One that is there already keeps its place without a contest; only its age may have changed.
      const fresh = steps.filter(([item], at) => !steps.slice(0, at).some(([other, isOffer]) => isOffer && other.key === item.key && steps[at]?.[1])); // prettier-ignore
      for (const [item, isOffer] of fresh) {
        if (isOffer) oldest.offer(item);
        else oldest.delete(item.key);
      }
      expect([...oldest.values()].map(({ key }) => key).sort()).toEqual(naively(most, fresh));
    }),
    { numRuns: 1_000 },
  );
});

test('tells which one gives way, and is not outgrown by what went', () => {
  const oldest = createOldest(2);
  const [a, b, c, d] = [1, 2, 3, 0].map((createRevision, n) => ({ key: 'abcd'.charAt(n), createRevision }));
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('four items');
  expect([oldest.offer(a), oldest.offer(b), oldest.offer(c), oldest.offer(d)]).toEqual([null, null, c, b]);
  for (let n = 0; n < 10_000; n += 1) {
    oldest.delete('a');
    expect(oldest.offer({ key: 'a', createRevision: n + 5 })).toBeNull();
    expect(oldest.offer({ key: 'z', createRevision: n + 6 })?.key).toBe('z');
  }
});
