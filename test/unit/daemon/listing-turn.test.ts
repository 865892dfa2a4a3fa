import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { awaitTurn } from '../../../src/daemon/listing-turn.js';
import { pass } from '../support/time.js';

let nowMs: number;
let counted: number;

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = 0;
  counted = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** An etcd of so many keys, whose answers take so long, the last of these for good. */
function etcd(keys: number, ...tookMs: readonly number[]): () => Promise<number> {
  return () => {
    nowMs += tookMs[Math.min(counted, tookMs.length - 1)] ?? 0;
    counted += 1;
    return Promise.resolve(keys);
  };
}

/** Whether the turn has come. */
function wait(count: () => Promise<number>, signal = new AbortController().signal): { readonly isOver: () => boolean } {
  let isOver = false;
  awaitTurn(count, 8, signal).then(
    () => (isOver = true),
    () => (isOver = true),
  );
  return { isOver: () => isOver };
}

test.each([
  ['etcd answers at once', etcd.bind(null, 20_000, 199)],
  ['there are few keys', etcd.bind(null, 999, 3_000)],
])('a listing begins at once where %s', async (_what, count) => {
  const turn = wait(count());
  await pass(0);
  expect([turn.isOver(), counted]).toEqual([true, 1]);
});

test('a first answer that took long is none of an etcd that is busy, where the second does not', async () => {
  const turn = wait(etcd(20_000, 1_000, 100));
  await pass(0);
  expect([turn.isOver(), counted]).toEqual([true, 2]);
});

test('where etcd is busy, it rests for as long as that answer took, times up to 8, and asks again', async () => {
  const turn = wait(etcd(20_000, 1_000, 1_000, 100));
  await pass(3_990);
  expect([turn.isOver(), counted]).toEqual([false, 2]);
  await pass(20);
  expect([turn.isOver(), counted]).toEqual([true, 3]);
});

test('it begins after so many rests, of 10 s at the most, however busy etcd is', async () => {
  const turn = wait(etcd(20_000, 5_000));
  await pass(7 * 5_000 + 100);
  expect([turn.isOver(), counted]).toEqual([false, 9]);
  await pass(5_000);
  expect([turn.isOver(), counted]).toEqual([true, 9]);
});

test('a rest ends when it is cancelled', async () => {
  const controller = new AbortController();
  const turn = wait(etcd(20_000, 5_000), controller.signal);
  await pass(100);
  controller.abort();
  await pass(0);
  expect(turn.isOver()).toBe(true);
});
