import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hold, type HoldOptions } from '../../../src/daemon/hold.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingLog } from '../support/log.js';
import { pass, until } from '../support/time.js';

const key = '/backends/db/one';
const value = '198.18.0.40:5432?port=5432';
let registry: FakeRegistry;
let controller: AbortController;
let ended: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  registry = new FakeRegistry();
  controller = new AbortController();
});
afterEach(async () => {
  controller.abort();
  await ended;
  vi.useRealTimers();
});

function start(check: HoldOptions['check'] = null): (level?: string) => string[] {
  const { log, messages } = recordingLog();
  ended = hold({ registry, key, value, ttlMs: 15_000, check, log }, controller.signal);
  return messages;
}

const stands = (): string | undefined => registry.entries.get(key)?.value;

test('it is registered on a lease that is kept alive, and withdrawn at the end', async () => {
  const messages = start();
  await until('the key', () => stands() === value);
  expect(registry.entries.get(key)?.lease).toBe('lease-1');
  await pass(60_000);
  expect(registry.count('keepAlive')).toBe(12);
  expect(registry.count('apply')).toBe(2);
  expect(messages('info').filter((message) => message === 'registered')).toHaveLength(1);
  controller.abort();
  await ended;
  expect(stands()).toBeUndefined();
  expect(registry.leases.has('lease-1')).toBe(true);
});

test('it is registered again when the lease is lost, or the key was deleted by hand', async () => {
  start();
  await until('the key', () => stands() === value);
  registry.expire('lease-1');
  await until('a new lease', () => registry.entries.get(key)?.lease === 'lease-2');
  registry.remove(key);
  await until('the key', () => stands() === value);
});

test('it waits for etcd', async () => {
  registry.failOn('grantLease');
  start();
  await pass(10_000);
  registry.recover();
  await until('the key', () => stands() === value);
});

test('it is registered when its check passes, and withdrawn when that fails twice', async () => {
  let answer: string | null = 'refused';
  const check = vi.fn(() => Promise.resolve(answer));
  const messages = start(check);
  await pass(20_000);
  expect(stands()).toBeUndefined();
  answer = null;
  await until('the key', () => stands() === value);
  answer = 'refused';
  const checks = check.mock.calls.length;
  await until('a failure', () => check.mock.calls.length === checks + 1);
  expect(stands()).toBe(value);
  await until('its end', () => stands() === undefined);
  expect(check.mock.calls.length).toBeGreaterThan(checks + 1);
  expect(messages('warn')).toEqual(['the check fails; withdrawn until it passes']);
});

test('it is withdrawn when its check fails, also where the answer to its put was lost; of which the log tells once it is known', async () => {
  let answer: string | null = null;
  const messages = start(() => Promise.resolve(answer));
  registry.losesAnswers = true;
  await until('the key', () => stands() === value);
  expect(messages('info')).not.toContain('registered');
  answer = 'refused';
  await pass(11_000);
  registry.losesAnswers = false;
  await until('its end', () => stands() === undefined);
  answer = null;
  await until('the key', () => stands() === value);
  expect(messages('info').filter((message) => message === 'registered')).toHaveLength(1);
});

test('it is withdrawn at the end also where etcd fails at first; where it goes on failing, that is told', async () => {
  start();
  await until('the key', () => stands() === value);
  registry.failOn('list');
  controller.abort();
  await pass(1_000);
  expect(stands()).toBe(value);
  registry.recover();
  await pass(2_000);
  expect(stands()).toBeUndefined();
  await ended;

  controller = new AbortController();
  start();
  await until('the key', () => stands() === value);
  registry.failOn('list');
  controller.abort();
  const told = expect(ended).rejects.toThrow('etcd did not take the withdrawal in 5s; what is left goes with its lease, in 15s at the latest'); // prettier-ignore
  ended = Promise.resolve();
  await pass(5_000);
  await told;
  expect(stands()).toBe(value);
});
