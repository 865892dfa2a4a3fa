import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { awaitTurn } from '../../../src/daemon/listing-turn.js';
import { pass } from '../support/time.js';

/** It does not answer after so long. */
interface Silent {
  readonly silentMs: number;
}

let nowMs: number;
let asked: number;
let counted: number;

beforeEach(() => {
  vi.useFakeTimers();
  [nowMs, asked, counted] = [0, 0, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Waits for its turn at an etcd of so many keys, whose answers take so long, the last of these for good. */
function wait({
  keys = 20_000,
  expected = keys,
  answers,
  signal = new AbortController().signal,
}: {
  readonly keys?: number;
  readonly expected?: number | null;
  readonly answers: readonly (number | Silent)[];
  readonly signal?: AbortSignal;
}): { readonly state: () => string } {
  const registry = {
    revision: () => {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? 0;
      asked += 1;
      nowMs += typeof answer === 'number' ? answer : answer.silentMs;
      return typeof answer === 'number' ? Promise.resolve(1) : Promise.reject(new Error('no answer'));
    },
    countKeys: () => {
      counted += 1;
      return Promise.resolve(keys);
    },
  };
  let state = 'waits';
  awaitTurn({ registry, expected, mostRests: 8 }, signal).then(
    () => (state = 'its turn'),
    (error: unknown) => (state = String(error)),
  );
  return { state: () => state };
}

test('a listing begins at once where etcd answers at once', async () => {
  const turn = wait({ answers: [199] });
  await pass(0);
  expect([turn.state(), asked, counted]).toEqual(['its turn', 1, 0]);
});

test('and without a question where few keys are known', async () => {
  const turn = wait({ keys: 999, answers: [3_000] });
  await pass(0);
  expect([turn.state(), asked, counted]).toEqual(['its turn', 0, 0]);
});

test('where none are known, they are counted before a rest, once', async () => {
  const few = wait({ keys: 999, expected: null, answers: [3_000] });
  await pass(0);
  expect([few.state(), asked, counted]).toEqual(['its turn', 2, 1]);
  [asked, counted] = [0, 0];
  const many = wait({ keys: 1_000, expected: null, answers: [300, 300, 300, 100] });
  await pass(10_000);
  expect([many.state(), asked, counted]).toEqual(['its turn', 4, 1]);
});

test('a first answer that took long is none of an etcd that is busy, where the second does not', async () => {
  const turn = wait({ answers: [1_000, 100] });
  await pass(0);
  expect([turn.state(), asked]).toEqual(['its turn', 2]);
});

test('where etcd is busy, it rests for as long as that answer took, times up to 8, and asks again', async () => {
  const turn = wait({ answers: [1_000, 1_000, 100] });
  await pass(3_990);
  expect([turn.state(), asked]).toEqual(['waits', 2]);
  await pass(20);
  expect([turn.state(), asked]).toEqual(['its turn', 3]);
});

test('it begins after so many rests, of 10 s at the most, however busy etcd is', async () => {
  const turn = wait({ answers: [4_900] });
  await pass(7 * 5_000 + 100);
  expect([turn.state(), asked]).toEqual(['waits', 9]);
  await pass(5_000);
  expect([turn.state(), asked]).toEqual(['its turn', 9]);
});

test('one that does not answer is not asked again before a rest, and then by whoever retries', async () => {
  const turn = wait({ answers: [{ silentMs: 5_000 }] });
  await pass(4_990);
  expect([turn.state(), asked]).toEqual(['waits', 1]);
  await pass(20);
  expect([turn.state(), asked]).toEqual(['Error: no answer', 1]);
});

test('of one that does not answer, and where no keys are known, is told at once', async () => {
  const turn = wait({ expected: null, answers: [{ silentMs: 5_000 }] });
  await pass(0);
  expect([turn.state(), asked, counted]).toEqual(['Error: no answer', 1, 0]);
});

test('one that refuses at once is left to the listing', async () => {
  const turn = wait({ expected: null, answers: [{ silentMs: 1 }] });
  await pass(0);
  expect([turn.state(), asked, counted]).toEqual(['its turn', 1, 0]);
});

test('a rest ends when it is cancelled', async () => {
  const controller = new AbortController();
  const turn = wait({ answers: [5_000], signal: controller.signal });
  await pass(100);
  controller.abort();
  await pass(0);
  expect(turn.state()).toMatch(/AbortError/);
});
