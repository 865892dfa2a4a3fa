import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, parseChangeRate, type Accounts, type Admission } from '../../../src/core/change-rate.js';
import { accepted, reasonOf } from '../support/parsed.js';

const id = 'aaaaaaaaaaaa';
const here = new Set([id]);
const gone = new Set<string>();

interface Look {
  readonly wanted: ReadonlySet<string>;
  readonly nowMs: number;
  readonly perSecond: number;
}

/** Containers as they come and go. */
function createHost(): { look(at: Look): Admission; peek(at: Look): Admission } {
  let accounts: Accounts = new Map();
  let before: ReadonlySet<string> = new Set();
  const peek = ({ wanted, ...at }: Look): Admission => {
    const ids = [...before, ...wanted].filter((one) => before.has(one) !== wanted.has(one));
    return admit(accounts, { ...at, turned: new Map(ids.map((one) => [one, wanted.has(one)])) });
  };
  return {
    peek,
    look(at) {
      const admission = peek(at);
      [accounts, before] = [admission.accounts, at.wanted];
      return admission;
    },
  };
}

/** Plays what a container wants, at these times; returns every answer. */
function play(steps: readonly (readonly [nowMs: number, wanted: ReadonlySet<string>])[], perSecond = 1): Admission[] {
  const host = createHost();
  return steps.map(([nowMs, wanted]) => host.look({ wanted, nowMs, perSecond }));
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
      ...flapping(12).map(([at, w]) => [at + 12_010, w === here ? gone : here] as const),
    ]);
    expect(answers[12]?.ends).toEqual([{ id, changes: 11, withinMs: 12_000 }]);
    expect(answers.slice(13).map(({ keptOut }) => keptOut.size)).toEqual([...Array<number>(11).fill(0), 1]);
    expect(answers.at(-1)?.begins).toEqual([{ id, changes: 11, withinMs: 110 }]);
  });

  test.each([
    ['gone', 4, gone],
    ['there', 5, here],
  ])('is forgotten when it is %s and its account is full', (_what, times, wanted) => {
    const answers = play([...flapping(times), [9_000, wanted]]);
    expect(answers.at(-2)?.accounts.size).toBe(1);
    expect(answers.at(-1)?.accounts.size).toBe(0);
  });

  test('does not hold back another', () => {
    const answers = play([...flapping(11), [110, new Set([id, 'other'])]]);
    expect(answers.at(-1)?.keptOut).toEqual(here);
  });
});

test('whatever it does, it goes at once, keeps to the average, and comes in when it was told to look again', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.boolean()), { maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.constantFrom(0.1, 1, 7), (drawn, perSecond) => {
      const host = createHost();
      let nowMs = 0;
      let registered = false;
      let changes = 0;
      for (const [pauseMs, wants] of drawn) {
        nowMs += pauseMs;
        const answer = host.look({ wanted: wants ? here : gone, nowMs, perSecond });
        const is = wants && !answer.keptOut.has(id);
        if (!wants) expect(is).toBe(false);
        if (is !== registered) changes += 1;
        registered = is;
        // One over: going is never refused.
        expect(changes).toBeLessThanOrEqual(11 + (nowMs / 1_000) * perSecond + 0.001);
        if (answer.keptOut.has(id)) {
          const later = { wanted: here, nowMs: nowMs + (answer.againInMs ?? 0), perSecond };
          expect(host.peek(later).keptOut.size).toBe(0);
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
