import { expect, test } from 'vitest';
import { createTurns } from '../../../src/adapters/turns.js';
import { deferred } from '../support/deferred.js';

test('no more run at once than may, and all get their turn in order, also after a failure', async () => {
  const turn = createTurns(2);
  const started: number[] = [];
  const gates = [1, 2, 3, 4, 5].map(() => deferred());
  const runs = gates.map((gate, at) =>
    turn(async () => {
      started.push(at);
      await gate.promise;
      if (at === 0) throw new Error('it broke');
      return at;
    }),
  );
  const outcomes = Promise.allSettled(runs);
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  gates[0]?.resolve();
  await expect(runs[0]).rejects.toThrow('it broke');
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', ...Array<string>(4).fill('fulfilled')]);
  expect(started).toEqual([0, 1, 2, 3, 4]);
  expect(await turn(() => Promise.resolve('again'))).toBe('again');
});
