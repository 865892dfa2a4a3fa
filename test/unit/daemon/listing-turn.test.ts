import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createListingTurn, type ListingTurn } from '../../../src/daemon/listing-turn.js';
import { DeniedError } from '../../../src/ports/registry.js';
import { pass } from '../support/time.js';

/** It does not answer after so long. */
interface Silent {
  readonly silentMs: number;
}

let nowMs: number;
let asked: number;

beforeEach(() => {
  vi.useFakeTimers();
  [nowMs, asked] = [0, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** An etcd whose answers take so long, the last of these for good. */
function turnAt(...answers: readonly (number | Silent)[]): ListingTurn {
  const revision = (): Promise<number> => {
    const took = answers[Math.min(asked, answers.length - 1)] ?? 0;
    asked += 1;
    nowMs += typeof took === 'number' ? took : took.silentMs;
    return typeof took === 'number' ? Promise.resolve(1) : Promise.reject(new Error('no answer'));
  };
  return createListingTurn({ registry: { revision }, mostRests: 8 });
}

function wait(turn: ListingTurn, known = 0, signal = new AbortController().signal): { readonly state: () => string } {
  let state = 'waits';
  turn.wait(known, signal).then(
    () => (state = 'its turn'),
    (error: unknown) => (state = String(error)),
  );
  return { state: () => state };
}

test('a listing begins at once where etcd answers at once', async () => {
  const waiting = wait(turnAt(399));
  await pass(0);
  expect([waiting.state(), asked]).toEqual(['its turn', 1]);
});

test('a first answer that took long is none of an etcd that is busy, where the second does not', async () => {
  const waiting = wait(turnAt(1_000, 100));
  await pass(0);
  expect([waiting.state(), asked]).toEqual(['its turn', 2]);
});

test('where etcd is busy, it rests for as long as that answer took, times up to 8, and asks again', async () => {
  const waiting = wait(turnAt(3_000, 1_000, 400, 100));
  await pass(3_990);
  expect([waiting.state(), asked]).toEqual(['waits', 2]);
  await pass(20);
  expect([waiting.state(), asked]).toEqual(['waits', 3]);
  await pass(1_600);
  expect([waiting.state(), asked]).toEqual(['its turn', 4]);
});

test('it begins after so many rests, of 10 s at the most, however busy etcd is', async () => {
  const waiting = wait(turnAt(4_900));
  await pass(7 * 5_000 + 100);
  expect([waiting.state(), asked]).toEqual(['waits', 9]);
  await pass(5_000);
  expect([waiting.state(), asked]).toEqual(['its turn', 9]);
});

test.each<[string, number, readonly (number | Silent)[]]>([
  ['and of which many keys are known', 1_000, [{ silentMs: 5_000 }]],
  ['and had answered before', 0, [600, { silentMs: 5_000 }]],
  ['and had answered before a rest', 0, [600, 400, { silentMs: 5_000 }]],
])(
  'one that does not answer, %s, is not asked again before a rest, and then by whoever retries',
  async (_which, known, answers) => {
    const waiting = wait(turnAt(...answers), known);
    await pass(answers.length > 2 ? 1_600 : 0);
    expect(asked).toBe(answers.length);
    await pass(4_990);
    expect(waiting.state()).toBe('waits');
    await pass(20);
    expect([waiting.state(), asked]).toEqual(['Error: no answer', answers.length]);
  },
);

test('of one that does not answer, and of which many keys are not known, is told at once', async () => {
  const waiting = wait(turnAt({ silentMs: 5_000 }), 999);
  await pass(0);
  expect([waiting.state(), asked]).toEqual(['Error: no answer', 1]);
});

test.each([0, 1_000])('one that refuses at once is left to the listing, with %i keys known', async (known) => {
  const waiting = wait(turnAt({ silentMs: 1 }), known);
  await pass(0);
  expect([waiting.state(), asked]).toEqual(['its turn', 1]);
});

test('that this user may not ask is told without a rest, however long it took', async () => {
  const revision = (): Promise<number> => {
    nowMs += 5_000;
    return Promise.reject(new DeniedError('no right'));
  };
  const waiting = wait(createListingTurn({ registry: { revision }, mostRests: 8 }), 20_000);
  await pass(0);
  expect(waiting.state()).toBe('DeniedError: no right');
});

test.each<[string, number | Silent]>([
  ['after an answer', 5_000],
  ['after none', { silentMs: 5_000 }],
])('a rest %s ends when it is cancelled', async (_which, answer) => {
  const controller = new AbortController();
  const waiting = wait(turnAt(answer), 20_000, controller.signal);
  await pass(100);
  expect(waiting.state()).toBe('waits');
  controller.abort();
  await pass(0);
  expect(waiting.state()).toMatch(/AbortError/);
});

test('nothing is listed for who was cancelled while etcd refused', async () => {
  const controller = new AbortController();
  const revision = (): Promise<number> => {
    controller.abort();
    return Promise.reject(new Error('cancelled'));
  };
  const waiting = wait(createListingTurn({ registry: { revision }, mostRests: 8 }), 0, controller.signal);
  await pass(0);
  expect(waiting.state()).toMatch(/AbortError/);
});
