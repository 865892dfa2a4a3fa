import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLeaseKeeper, type LeaseKeeper } from '../../../src/daemon/lease-keeper.js';
import { deferred } from '../support/deferred.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingLog } from '../support/log.js';
import { pass, settle, until } from '../support/time.js';

const ttlMs = 15_000;
let controller: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
});
afterEach(() => {
  controller.abort();
  vi.useRealTimers();
});

async function start(): Promise<{
  registry: FakeRegistry;
  keeper: LeaseKeeper;
  onLost: () => void;
  messages: (level?: string) => string[];
}> {
  const registry = new FakeRegistry();
  const { log, messages } = recordingLog();
  const keeper = createLeaseKeeper({ registry, ttlMs, log });
  const onLost = vi.fn();
  keeper.run(onLost, controller.signal).catch(() => undefined);
  await keeper.current(controller.signal);
  return { registry, keeper, onLost, messages };
}

test('grants one lease, at the first need', async () => {
  const registry = new FakeRegistry();
  const keeper = createLeaseKeeper({ registry, ttlMs, log: recordingLog().log });
  expect(keeper.peek()).toBeNull();
  expect(await keeper.current(controller.signal)).toBe('lease-1');
  expect(await keeper.current(controller.signal)).toBe('lease-1');
  expect(keeper.peek()).toBe('lease-1');
  expect(registry.count('grantLease')).toBe(1);
});

test('has no lease while etcd grants none, and asks again at the next need', async () => {
  const registry = new FakeRegistry();
  const keeper = createLeaseKeeper({ registry, ttlMs, log: recordingLog().log });
  registry.failOn('grantLease');
  await expect(keeper.current(controller.signal)).rejects.toThrow('etcd did not grantLease');
  expect(keeper.peek()).toBeNull();
  registry.recover();
  expect(await keeper.current(controller.signal)).toBe('lease-1');
});

test('keeps it alive every third of the TTL', async () => {
  const { registry, onLost } = await start();
  await pass(ttlMs * 4);
  expect(registry.count('keepAlive')).toBe(12);
  expect(onLost).not.toHaveBeenCalled();
});

test('asks for nothing while there is no lease', async () => {
  const { registry, keeper } = await start();
  keeper.drop();
  await pass(ttlMs * 4);
  expect(registry.count('keepAlive')).toBe(0);
});

describe('the lease is lost', () => {
  test('when etcd no longer knows it; the next need gets another', async () => {
    const { registry, keeper, onLost } = await start();
    registry.expire('lease-1');
    await until('the loss', () => vi.mocked(onLost).mock.calls.length === 1);
    expect(keeper.peek()).toBeNull();
    expect(await keeper.current(controller.signal)).toBe('lease-2');
    await pass(ttlMs * 2);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(keeper.peek()).toBe('lease-2');
  });

  test('when it was not confirmed for a TTL, and not before', async () => {
    const { registry, keeper, onLost } = await start();
    registry.failOn('keepAlive');
    await pass(ttlMs);
    expect(onLost).not.toHaveBeenCalled();
    expect(keeper.peek()).toBe('lease-1');
    await pass(1_100);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(keeper.peek()).toBeNull();
  });

  test('by silence counted from the last keep-alive that was answered', async () => {
    const { registry, onLost } = await start();
    await pass(ttlMs);
    registry.failOn('keepAlive');
    await pass(ttlMs);
    expect(onLost).not.toHaveBeenCalled();
    await pass(1_100);
    expect(onLost).toHaveBeenCalledTimes(1);
  });

  test('by silence counted from when an answer was asked for, not from when it came', async () => {
    const { registry, onLost } = await start();
    registry.before = (call) =>
      call === 'keepAlive' ? new Promise((resolve) => setTimeout(resolve, 4_000)) : undefined;
    await pass(5_000);
    await pass(4_000);
    registry.failOn('keepAlive');
    // Asked for at 5 s, answered at 9 s: gone from etcd at 20 s.
    await pass(11_000);
    expect(onLost).not.toHaveBeenCalled();
    await pass(1_100);
    expect(onLost).toHaveBeenCalledTimes(1);
  });
});

describe('the lease is kept', () => {
  test('over keep-alives that fail for less than a TTL, which are told once', async () => {
    const { registry, onLost, messages } = await start();
    registry.failOn('keepAlive');
    await pass(12_000);
    registry.recover();
    await pass(ttlMs * 2);
    expect(onLost).not.toHaveBeenCalled();
    expect(messages('warn')).toEqual(['keep-alive failed; trying again every second']);
    expect(messages('info')).toContain('keep-alive works again');
  });

  test('when "lost" is said of the one before it', async () => {
    const { registry, keeper, onLost } = await start();
    const answer = deferred();
    registry.before = (call) => (call === 'keepAlive' ? answer.promise : undefined);
    await until('a keep-alive', () => registry.count('keepAlive') === 1);
    registry.expire('lease-1');
    keeper.drop();
    expect(await keeper.current(controller.signal)).toBe('lease-2');
    answer.resolve();
    await settle();
    expect(onLost).not.toHaveBeenCalled();
    expect(keeper.peek()).toBe('lease-2');
  });
});

test('ends when it is cancelled, also within a keep-alive', async () => {
  const registry = new FakeRegistry();
  const keeper = createLeaseKeeper({ registry, ttlMs, log: recordingLog().log });
  const onLost = vi.fn();
  const run = keeper.run(onLost, controller.signal);
  const outcome = expect(run).rejects.toMatchObject({ name: 'AbortError' });
  await keeper.current(controller.signal);
  registry.before = (call) => (call === 'keepAlive' ? new Promise(() => undefined) : undefined);
  await until('a keep-alive', () => registry.count('keepAlive') === 1);
  controller.abort();
  await outcome;
  expect(onLost).not.toHaveBeenCalled();
});
