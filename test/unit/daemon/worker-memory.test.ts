import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerState } from '../../../src/core/haproxy/replies.js';
import { createWorkerMemory, type WorkerMemory } from '../../../src/daemon/worker-memory.js';
import { configurationOf, listenerWith, modelWith } from '../support/models.js';
import { pass } from '../support/time.js';

const deadlineMs = 600_000;
const name = { listener: 'whoami:8000', server: '0123456789ab' };
const state: ServerState = { ...name, address: '10.170.71.226:49153', weight: 1, maint: false };
const configuration = configurationOf(modelWith(listenerWith()));
let memory: WorkerMemory;

beforeEach(() => {
  vi.useFakeTimers();
  memory = createWorkerMemory(deadlineMs);
});
afterEach(() => {
  vi.useRealTimers();
});

function seen(one: ServerState): object | undefined {
  return memory.observed([one.listener], [one]).servers.get(one.listener)?.get(one.server);
}

test('nothing was loaded, or it is gone', () => {
  expect(memory.observed([], []).loaded).toBeNull();
  memory.loaded(configuration);
  expect(memory.observed([], []).loaded).toBe(configuration);
  memory.forget();
  expect(memory.observed([], []).loaded).toBeNull();
});

test('a server has the keywords with which it was loaded or added', () => {
  memory.loaded(configuration);
  expect(seen(state)).toEqual({
    address: '10.170.71.226:49153',
    weight: 1,
    maint: false,
    overdue: false,
    keywords: 'check',
  });
  const line = { address: '10.0.0.1:1', weight: 1, keywords: 'check inter 1s' };
  memory.applied([{ kind: 'add', line, listener: 'whoami:8000', server: 'second' }]);
  expect(seen({ ...state, server: 'second' })).toMatchObject({ keywords: 'check inter 1s' });
});

test('a server that somebody added by hand has none, and one that went is forgotten', () => {
  memory.loaded(configuration);
  expect(seen({ ...state, server: 'stranger' })).toMatchObject({ keywords: '' });
  expect(seen(state)).toMatchObject({ keywords: '' });
});

test('a server that was taken out is overdue after the deadline, one that is back is not', async () => {
  memory.loaded(configuration);
  memory.applied([{ kind: 'maint', ...name }]);
  await pass(deadlineMs);
  expect(seen({ ...state, maint: true })).toMatchObject({ overdue: false });
  await pass(1);
  expect(seen({ ...state, maint: true })).toMatchObject({ overdue: true });
  memory.applied([{ kind: 'ready', ...name }]);
  expect(seen(state)).toMatchObject({ overdue: false });
});

test('a listener that was not looked at keeps what is known of it', () => {
  memory.loaded(configuration);
  expect(memory.observed([], []).servers.size).toBe(0);
  expect(seen(state)).toMatchObject({ keywords: 'check' });
});

test('a listener without a server is told too, and one that the worker does not have is no question', () => {
  memory.loaded(configuration);
  expect(memory.observed(['whoami:8000'], []).servers).toEqual(new Map([['whoami:8000', new Map()]]));
  expect(memory.knownOf(['whoami:8000', 'other:81'])).toEqual(['whoami:8000']);
});
