import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, parseChangeRate, type Accounts, type Admission } from '../../../src/core/change-rate.js';
import { accepted, reasonOf } from '../support/parsed.js';

const id = 'aaaaaaaaaaaa';
const here = new Set([id]);
const gone = new Set<string>();

/** Plays what a container wants, at these times; returns every answer. */
function play(steps: readonly (readonly [nowMs: number, wanted: ReadonlySet<string>])[], perSecond = 1): Admission[] {
  let accounts: Accounts = new Map();
  return steps.map(([nowMs, wanted]) => {
    const admission = admit(accounts, { wanted, nowMs, perSecond });
    accounts = admission.accounts;
    return admission;
  });
}

/** Comes and goes every 10 ms. */
function flapping(times: number): (readonly [number, ReadonlySet<string>])[] {
  return Array.from({ length: times }, (_, i) => [i * 10, i % 2 === 0 ? here : gone] as const);
}

describe('a container that comes and goes', () => {
  test('is let in at once five times, then kept out, and told of once', () => {
    const answers = play(flapping(15));
    const refused = answers.map(({ keptOut }, i) => (keptOut.has(id) ? i : null)).filter((i) => i !== null);
    expect(refused).toEqual([10, 12, 14]);
    expect(answers.flatMap(({ begins }) => begins)).toEqual([{ id, changes: 10, withinMs: 100 }]);
    expect(answers[10]?.againInMs).toBe(900);
  });

  test('is let in when its time has come, without another word', () => {
    const steps = flapping(11);
    const [early, due] = play([...steps, [999, here], [1_000, here]]).slice(-2);
    expect([early?.keptOut.has(id), due?.keptOut.has(id)]).toEqual([true, false]);
    expect(due?.begins).toEqual([]);
    expect(due?.ends).toEqual([]);
  });

  test('is told of as well again once it has been quiet, and starts anew', () => {
    const answers = play([
      ...flapping(11),
      [1_000, here],
      [12_000, here],
      ...flapping(10).map(([at, w]) => [at + 12_010, w === here ? gone : here] as const),
    ]);
    expect(answers[12]?.ends).toEqual([{ id, changes: 11, withinMs: 12_000 }]);
    expect(answers.slice(13).flatMap(({ keptOut }) => [...keptOut])).toEqual([]);
  });

  test('is forgotten when it is gone and its account is full', () => {
    const answers = play([...flapping(4), [9_000, gone]]);
    expect(answers.at(-2)?.accounts.size).toBe(1);
    expect(answers.at(-1)?.accounts.size).toBe(0);
  });

  test('does not hold back another', () => {
    let accounts: Accounts = new Map();
    for (const [nowMs, wanted] of flapping(11)) ({ accounts } = admit(accounts, { wanted, nowMs, perSecond: 1 }));
    expect(admit(accounts, { wanted: new Set([id, 'other']), nowMs: 110, perSecond: 1 }).keptOut).toEqual(here);
  });
});

test('whatever it does, it goes at once, keeps to the average, and comes in when it was told to look again', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.boolean()), { maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.constantFrom(0.1, 1, 7), (drawn, perSecond) => {
      let accounts: Accounts = new Map();
      let nowMs = 0;
      let registered = false;
      let changes = 0;
      for (const [pauseMs, wants] of drawn) {
        nowMs += pauseMs;
        const before = accounts;
        const answer = admit(before, { wanted: wants ? here : gone, nowMs, perSecond });
        accounts = answer.accounts;
        const is = wants && !answer.keptOut.has(id);
        if (!wants) expect(is).toBe(false);
        if (is !== registered) changes += 1;
        registered = is;
        // One over: going is never refused.
        expect(changes).toBeLessThanOrEqual(11 + (nowMs / 1_000) * perSecond + 0.001);
        if (answer.keptOut.has(id)) {
          const later = { wanted: here, nowMs: nowMs + (answer.againInMs ?? 0), perSecond };
          expect(admit(accounts, later).keptOut.size).toBe(0);
        }
      }
    }),
  );
});

describe('a change rate', () => {
  test.each([
    ['1', 1],
    ['0', 0],
    ['0.25', 0.25],
  ])('is read: %s', (text, rate) => {
    expect(accepted(parseChangeRate(text))).toBe(rate);
  });

  test.each(['', '-1', '1/s', '0.001', '1001', 'many'])('is refused: %s', (text) => {
    expect(reasonOf(parseChangeRate(text))).toContain('or 0 for no limit');
  });
});
