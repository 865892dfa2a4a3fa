import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ObservedServer } from '../../../src/core/haproxy/plan.js';
import type { ServerState } from '../../../src/core/haproxy/replies.js';
import { createWorkerMemory, type WorkerMemory } from '../../../src/daemon/worker-memory.js';
import { configurationOf, listenerWith, modelWith } from '../support/models.js';
import { pass } from '../support/time.js';

const deadlineMs = 600_000;
const listener = 'whoami:8000';
const server = '0123456789ab';
const name = { listener, server };
const state: ServerState = { ...name, address: '10.170.71.226:49153', weight: 1, maint: false, drain: false };
const loaded = {
  address: '10.170.71.226:49153',
  weight: 1,
  keywords: 'check',
  maint: false,
  drain: false,
  overdue: false,
};
const configuration = configurationOf(modelWith(listenerWith()));
const line = { address: '10.0.0.1:1', weight: 1, keywords: 'check inter 1s' };
let memory: WorkerMemory;

beforeEach(() => {
  vi.useFakeTimers();
  memory = createWorkerMemory(deadlineMs);
});
afterEach(() => {
  vi.useRealTimers();
});

function believed(which = server): ObservedServer | undefined {
  return memory.observed([listener]).servers.get(listener)?.get(which);
}

test('nothing was loaded, or it is gone', () => {
  expect(memory.observed([]).loaded).toBeNull();
  memory.loaded(configuration);
  expect(memory.observed([]).loaded).toBe(configuration);
  memory.forget();
  expect(memory.observed([]).loaded).toBeNull();
  expect(memory.knownOf([listener])).toEqual([]);
});

test('a server is believed to be as it was loaded', () => {
  memory.loaded(configuration);
  expect(believed()).toEqual(loaded);
});

describe('a step that was taken', () => {
  beforeEach(() => {
    memory.loaded(configuration);
  });

  test('adds a server with its keywords', () => {
    memory.applied([{ kind: 'add', line, listener, server: 'second' }], false);
    expect(believed('second')).toEqual({ ...line, maint: false, drain: false, overdue: false });
    expect(believed()).toEqual(loaded);
  });

  test.each([
    [{ kind: 'move', host: '10.0.0.9', port: 9 } as const, { address: '10.0.0.9:9' }],
    [{ kind: 'weight', weight: 0 } as const, { weight: 0 }],
    [{ kind: 'maint' } as const, { maint: true }],
    [{ kind: 'shutdown sessions' } as const, {}],
  ])('%o changes just that', (step, changes) => {
    memory.applied([{ ...step, ...name }], false);
    expect(believed()).toEqual({ ...loaded, ...changes });
  });

  test('takes a server out and back', () => {
    memory.applied([{ kind: 'maint', ...name }], false);
    memory.applied([{ kind: 'ready', ...name }], false);
    expect(believed()).toEqual(loaded);
  });

  test('deletes a server, unless it may still stand', () => {
    const gone = [
      { kind: 'maint', ...name },
      { kind: 'delete', ...name },
    ] as const;
    memory.applied(gone, true);
    expect(believed()).toEqual({ ...loaded, maint: true });
    memory.applied(gone, false);
    expect(believed()).toBeUndefined();
  });
});

describe('what the worker tells', () => {
  test('is believed, with the keywords that only we know', () => {
    memory.loaded(configuration);
    memory.told([listener], [{ ...state, weight: 9, maint: true }]);
    expect(believed()).toEqual({ ...loaded, weight: 9, maint: true });
  });

  test('has servers that somebody added by hand, and none that went', () => {
    memory.loaded(configuration);
    memory.told([listener], [{ ...state, server: 'stranger' }]);
    expect(believed('stranger')).toMatchObject({ keywords: '' });
    expect(believed()).toBeUndefined();
    memory.told([listener], [state]);
    expect(believed()).toMatchObject({ keywords: '' });
  });

  test('leaves the listeners that it was not asked about, and is empty for one without a server', () => {
    memory.loaded(configuration);
    memory.told([], []);
    expect(believed()).toEqual(loaded);
    memory.told([listener], []);
    expect(memory.observed([listener]).servers).toEqual(new Map([[listener, new Map()]]));
  });
});

test('a server that was taken out is overdue after the deadline, one that is back is not', async () => {
  memory.loaded(configuration);
  memory.applied([{ kind: 'maint', ...name }], false);
  await pass(deadlineMs);
  expect(believed()).toMatchObject({ overdue: false });
  memory.told([listener], [{ ...state, maint: true }]);
  await pass(1);
  expect(believed()).toMatchObject({ overdue: true });
  memory.applied([{ kind: 'ready', ...name }], false);
  expect(believed()).toMatchObject({ overdue: false });
});

test('a new worker has what it was loaded with, and perhaps what the one before was told meanwhile', () => {
  memory.loaded(configuration);
  memory.applied([{ kind: 'add', line, listener, server: 'second' }], false);
  memory.applied([{ kind: 'weight', weight: 0, ...name }], false);
  memory.loaded(configuration);
  expect(believed()).toEqual(loaded);
  expect(believed('second')).toMatchObject({ keywords: 'check inter 1s' });
  memory.told([listener], [state]);
  expect(believed('second')).toBeUndefined();
});

test('a listener that the worker does not have is not known', () => {
  memory.loaded(configuration);
  expect(memory.knownOf([listener, 'other:81'])).toEqual([listener]);
});
