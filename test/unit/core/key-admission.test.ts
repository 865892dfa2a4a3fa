import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKeyAdmission, type KeyAdmission, type LeasedKey } from '../../../src/core/key-admission.js';
import { byAge } from '../../../src/core/oldest.js';

const limits = { keys: 5, keysPerLease: 2 };
const anyKeys = fc.uniqueArray(
  fc.record({
    key: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }),
    createRevision: fc.integer({ min: 1, max: 6 }),
    lease: fc.constantFrom('0', '1', '2', '3'),
  }),
  { selector: ({ key }) => key, maxLength: 20 },
);

/** What the contract says: of each lease its oldest, of those the oldest. */
function expected(keys: readonly LeasedKey[]): string[] {
  const ofLeases = ['0', '1', '2', '3'].flatMap((lease) =>
    keys
      .filter((key) => key.lease === lease)
      .sort(byAge)
      .slice(0, limits.keysPerLease),
  );
  return ofLeases.sort(byAge).slice(0, limits.keys).map(({ key }) => key).sort(); // prettier-ignore
}

/** What is taken, as its verdicts tell. */
function following(admission: KeyAdmission): { add(key: LeasedKey): void; taken(): string[] } {
  const taken = new Set<string>();
  return {
    add(key) {
      const { isTaken, out } = admission.add(key);
      if (isTaken) taken.add(key.key);
      for (const one of out) taken.delete(one);
    },
    taken: () => [...taken].sort(),
  };
}

test('takes the same keys in whatever order they come: of each lease its oldest, and of those the oldest', () => {
  fc.assert(
    fc.property(
      anyKeys.chain((keys) => fc.shuffledSubarray(keys, { minLength: keys.length, maxLength: keys.length })),
      (keys) => {
        const admission = createKeyAdmission(limits);
        const followed = following(admission);
        for (const key of keys) followed.add(key);
        expect(followed.taken()).toEqual(expected(keys));
        const { keys: ofAll, keysPerLease } = admission.leftOut();
        expect(ofAll + keysPerLease).toBe(keys.length - followed.taken().length);
        expect(admission.problems().length > 0).toBe(keys.length > followed.taken().length);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('after deletes it has none that should not be there, and says that a listing would bring more', () => {
  fc.assert(
    fc.property(anyKeys, fc.array(fc.nat(19)), (keys, deletes) => {
      const admission = createKeyAdmission(limits);
      const followed = following(admission);
      for (const key of keys) followed.add(key);
      const gone = new Set(deletes.flatMap((at) => keys[at]?.key ?? []));
      for (const key of gone) admission.delete(key);
      const left = keys.filter(({ key }) => !gone.has(key));
      const still = followed.taken().filter((key) => !gone.has(key));
      expect(admission.standing).toBe(left.length);
      if (!admission.hasRoom) expect(still).toEqual(expected(left));
      // Who was not left out before is not left out by this.
      expect(still.every((key) => followed.taken().includes(key))).toBe(true);
      if (left.length === still.length) expect([admission.problems(), admission.hasRoom]).toEqual([[], false]);
    }),
    { numRuns: 1_000 },
  );
});

test('a restart, which puts the same keys on another lease, leaves them where they were', () => {
  const admission = createKeyAdmission(limits);
  const [a, b] = ['a', 'b'].map((key) => ({ key, createRevision: 1, lease: '1' }));
  if (a === undefined || b === undefined) throw new Error('two keys');
  admission.add(a);
  admission.add(b);
  expect(admission.add({ key: 'c', createRevision: 2, lease: '1' })).toEqual({ isTaken: false, out: [] });
  expect(admission.alter({ ...a, lease: '2' })).toEqual({ isTaken: true, out: [] });
  expect(admission.hasRoom).toBe(true);
  expect(admission.alter(b)).toEqual({ isTaken: true, out: [] });
});

test('a lease to which more keys are moved than it may have keeps the oldest, and lets the others go', () => {
  const admission = createKeyAdmission(limits);
  admission.add({ key: 'a', createRevision: 1, lease: '1' });
  admission.add({ key: 'y', createRevision: 5, lease: '2' });
  admission.add({ key: 'z', createRevision: 6, lease: '2' });
  expect(admission.alter({ key: 'a', createRevision: 1, lease: '2' })).toEqual({ isTaken: true, out: ['z'] });
  expect(admission.problems()).toEqual([
    {
      key: 'MAX_KEYS_PER_LEASE of lease 0000000000000002',
      reason: 'its oldest 2 are taken, and 1 left out, such as z',
    },
  ]);
});

test('keys without a lease are one group, and who has a lease comes in beside them', () => {
  const admission = createKeyAdmission(limits);
  for (let n = 0; n < 4; n += 1) admission.add({ key: `x${String(n)}`, createRevision: n, lease: '0' });
  expect(admission.add({ key: 'y', createRevision: 9, lease: '7' }).isTaken).toBe(true);
  expect(admission.problems().map(({ key }) => key)).toEqual(['MAX_KEYS_PER_LEASE of keys without a lease']);
});
