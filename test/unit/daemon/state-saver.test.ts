import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseLastKnownGood } from '../../../src/core/last-known-good.js';
import { createStateSaver, type StateSaver } from '../../../src/daemon/state-saver.js';
import { recordingLog } from '../support/log.js';
import { accepted } from '../support/parsed.js';
import { pass } from '../support/time.js';

let controller: AbortController;
let saves: string[];
let failure: Error | null;
let recorded: ReturnType<typeof recordingLog>;
let saver: StateSaver;
let run: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
  saves = [];
  failure = null;
  recorded = recordingLog();
  const save = (text: string): Promise<void> => {
    if (failure !== null) return Promise.reject(failure);
    saves.push(text);
    return Promise.resolve();
  };
  saver = createStateSaver({ load: () => Promise.resolve(null), save }, recorded.log);
  run = saver.run(controller.signal).catch(() => undefined);
});
afterEach(async () => {
  controller.abort();
  await run;
  vi.useRealTimers();
});

function note(revision: number): void {
  saver.note(() => ({ revision, entries: [], stale: [], held: [], clientHosts: null }));
}

function revisions(): number[] {
  return saves.map((text) => accepted(parseLastKnownGood(text)).revision);
}

test('a burst of changes is written once, as it stands at its end', async () => {
  for (let revision = 1; revision <= 50; revision += 1) {
    note(revision);
    await pass(10);
  }
  await pass(1_000);
  expect(revisions()).toEqual([50]);
});

test('a state that takes long to put together is written more seldom, but never less than every ten seconds or so', async () => {
  const noteFor = (tookMs: number, revision: number): void => {
    saver.note(() => {
      clock += tookMs;
      return { revision, entries: [], stale: [], held: [], clientHosts: null };
    });
  };
  let clock = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + clock);
  noteFor(12, 1);
  await pass(1_000);
  expect(revisions()).toEqual([1]);
  noteFor(1_000, 2);
  await pass(5_900);
  expect(revisions()).toEqual([1]);
  await pass(200);
  expect(revisions()).toEqual([1, 2]);
  noteFor(0, 3);
  await pass(9_800);
  expect(revisions()).toEqual([1, 2]);
  await pass(300);
  expect(revisions()).toEqual([1, 2, 3]);
  vi.restoreAllMocks();
});

test('what is the same is not written again', async () => {
  note(1);
  await pass(1_000);
  note(1);
  await pass(5_000);
  expect(revisions()).toEqual([1]);
});

test('what was noted last is written at the end', async () => {
  note(1);
  controller.abort();
  await run;
  expect(revisions()).toEqual([1]);
});

test('a disk that fails is told once, and tried again until it works, with what is noted then', async () => {
  failure = new Error('no space left on device');
  note(1);
  await pass(20_000);
  note(2);
  expect(recorded.messages('error')).toEqual(['failed; trying again until it works']);
  failure = null;
  await pass(60_000);
  expect(revisions()).toEqual([2]);
  expect(recorded.messages('info')).toEqual(['works again']);
});

test('a disk that fails at the end is told', async () => {
  failure = new Error('read-only file system');
  note(1);
  controller.abort();
  await run;
  expect(recorded.lines.at(-1)).toMatchObject({ level: 'error', error: 'read-only file system' });
});
