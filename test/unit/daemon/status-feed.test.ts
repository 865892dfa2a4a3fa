import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { problemsByKind } from '../../../src/core/discover-counts.js';
import type { PageUpdate } from '../../../src/core/page-update.js';
import { createStatusFeed, type StatusFeed } from '../../../src/daemon/status-feed.js';
import { recordingLog } from '../support/log.js';
import { statusWith } from '../support/status.js';
import { pass, until } from '../support/time.js';

let controller: AbortController;
let recorded: ReturnType<typeof recordingLog>;
let revision: number;
let looks: number;
let look: (signal: AbortSignal) => Promise<void>;
let feed: StatusFeed;
let ended: Promise<unknown>;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
  recorded = recordingLog();
  [revision, looks] = [1, 0];
  look = () => Promise.resolve();
  feed = createStatusFeed({
    about: { host: 'client', version: '1', statsPort: null },
    look: async (signal) => {
      looks += 1;
      await look(signal);
      return { status: statusWith({ revision }), problems: problemsByKind([]) };
    },
    log: recorded.log,
  });
  ended = feed.run(controller.signal).catch((error: unknown) => error);
});
afterEach(async () => {
  controller.abort();
  await ended;
  vi.useRealTimers();
});

/** Reads all that comes, until it is told to end. */
function viewer(): { updates: PageUpdate[]; revisions: () => number[]; leave: () => Promise<void> } {
  const updates: PageUpdate[] = [];
  const gone = new AbortController();
  const read = async (): Promise<void> => {
    for await (const update of feed.follow(AbortSignal.any([controller.signal, gone.signal]))) updates.push(update);
  };
  const reading = read();
  return {
    updates,
    revisions: () => updates.flatMap(({ head }) => (head === undefined ? [] : [head.revision])),
    leave: async () => {
      gone.abort();
      await reading;
    },
  };
}

test('HAProxy is asked while somebody looks on, once for all, and never else', async () => {
  await pass(60_000);
  expect(looks).toBe(0);
  const [one, two] = [viewer(), viewer()];
  await until('both to be told', () => one.updates.length > 0 && two.updates.length > 0);
  expect(looks).toBe(1);
  await pass(10_000);
  expect(looks).toBe(11);
  await one.leave();
  await two.leave();
  await pass(2_000);
  const then = looks;
  await pass(60_000);
  expect(looks).toBe(then);
});

test('a viewer is told what changed, and now and then that nothing did', async () => {
  const one = viewer();
  await until('the first', () => one.updates.length === 1);
  expect(one.updates[0]?.isWhole).toBe(true);
  revision = 2;
  await pass(1_000);
  expect(one.revisions()).toEqual([1, 2]);
  await pass(12_000);
  expect(one.updates.slice(2).map((update) => Object.keys(update))).toEqual([
    ['nowMs', 'isWhole'],
    ['nowMs', 'isWhole'],
  ]);
});

test('who comes back to it late is told of now, and nothing was kept meanwhile', async () => {
  const slow = feed.follow(controller.signal);
  const first = slow.next();
  await until('the first look', () => looks === 1);
  expect((await first).value).toMatchObject({ isWhole: true, head: { revision: 1 } });
  for (revision = 2; revision < 50; revision += 1) await pass(1_000);
  await pass(1_000);
  expect((await slow.next()).value).toMatchObject({ isWhole: false, head: { revision: 50 } });
  await slow.return();
});

test('while a look hangs, a viewer hears that we are there', async () => {
  const one = viewer();
  await until('the first', () => one.updates.length === 1);
  look = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', reject);
    });
  await pass(20_000);
  expect(one.updates.length).toBeGreaterThanOrEqual(4);
});

test('a look that fails is told of, and tried again', async () => {
  look = () => Promise.reject(new Error('no'));
  const one = viewer();
  await until('the error', () => recorded.messages('error').length > 0);
  look = () => Promise.resolve();
  await until('the first', () => one.updates.some(({ isWhole }) => isWhole));
  expect(recorded.messages()).toContain('works again');
});

test('there is an end to how many may look on', async () => {
  const many = Array.from({ length: 40 }, viewer);
  expect(feed.isFull()).toBe(true);
  await many[0]?.leave();
  expect(feed.isFull()).toBe(false);
});
