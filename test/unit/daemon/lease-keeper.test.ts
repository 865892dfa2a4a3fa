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
  onDoubt: (isLost: boolean) => void;
  messages: (level?: string) => string[];
}> {
  const registry = new FakeRegistry();
  const { log, messages } = recordingLog();
  const keeper = createLeaseKeeper({ registry, ttlMs, log });
  const onDoubt = vi.fn();
  keeper.run(onDoubt, controller.signal).catch(() => undefined);
  await keeper.current(controller.signal);
  return { registry, keeper, onDoubt, messages };
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
  const { registry, onDoubt } = await start();
  await pass(ttlMs * 4);
  expect(registry.count('keepAlive')).toBe(12);
  expect(onDoubt).not.toHaveBeenCalled();
});

test('is told of one that is gone by who met it, of which one line tells', async () => {
  const { log, messages } = recordingLog();
  const onLost = vi.fn();
  const keeper = createLeaseKeeper({ registry: new FakeRegistry(), ttlMs, log, onLost });
  await keeper.current(controller.signal);
  keeper.drop();
  keeper.drop();
  expect(onLost).toHaveBeenCalledTimes(1);
  expect(messages('warn')).toEqual([
    'lease lost, etcd no longer knows it; everything is registered again under a new one',
  ]);
});

test('asks for nothing while there is no lease', async () => {
  const { registry, keeper } = await start();
  keeper.drop();
  await pass(ttlMs * 4);
  expect(registry.count('keepAlive')).toBe(0);
});

describe('the lease is lost', () => {
  test('when etcd no longer knows it; the next need gets another', async () => {
    const { registry, keeper, onDoubt } = await start();
    registry.expire('lease-1');
    await until('the loss', () => vi.mocked(onDoubt).mock.calls.length === 1);
    expect(onDoubt).toHaveBeenCalledWith(true);
    expect(keeper.peek()).toBeNull();
    expect(await keeper.current(controller.signal)).toBe('lease-2');
    await pass(ttlMs * 2);
    expect(onDoubt).toHaveBeenCalledTimes(1);
    expect(keeper.peek()).toBe('lease-2');
  });
});

describe('the lease is in doubt', () => {
  const inDoubt = 'etcd has not confirmed the lease for a TTL, and may have ended it';

  test('when it was not confirmed for a TTL, and not before; it stays ours until etcd tells', async () => {
    const { registry, keeper, onDoubt, messages } = await start();
    registry.failOn('keepAlive');
    await pass(ttlMs);
    expect(onDoubt).not.toHaveBeenCalled();
    expect(keeper.confirmed()).toBe('lease-1');
    await pass(1_100);
    expect(vi.mocked(onDoubt).mock.calls).toEqual([[false]]);
    expect([keeper.peek(), keeper.confirmed()]).toEqual(['lease-1', null]);
    expect(messages('warn')).toContain(inDoubt);
  });

  test('once more after each TTL, of which one line tells, and no longer than until it is confirmed', async () => {
    const { registry, keeper, onDoubt, messages } = await start();
    registry.failOn('keepAlive');
    await pass(ttlMs * 3 + 5_000);
    expect(vi.mocked(onDoubt).mock.calls).toEqual([[false], [false], [false]]);
    expect(messages('warn').filter((message) => message === inDoubt)).toHaveLength(1);
    registry.recover();
    await pass(ttlMs * 3);
    expect(onDoubt).toHaveBeenCalledTimes(3);
    expect(keeper.confirmed()).toBe('lease-1');
    registry.failOn('keepAlive');
    await pass(ttlMs * 1.5);
    expect(onDoubt).toHaveBeenCalledTimes(4);
    expect(messages('warn').filter((message) => message === inDoubt)).toHaveLength(2);
  });

  test('by silence counted from the last keep-alive that was answered', async () => {
    const { registry, onDoubt } = await start();
    await pass(ttlMs);
    registry.failOn('keepAlive');
    await pass(ttlMs);
    expect(onDoubt).not.toHaveBeenCalled();
    await pass(1_100);
    expect(onDoubt).toHaveBeenCalledTimes(1);
  });

  test('by silence counted from when an answer was asked for, not from when it came', async () => {
    const { registry, onDoubt } = await start();
    registry.before = (call) =>
      call === 'keepAlive' ? new Promise((resolve) => setTimeout(resolve, 4_000)) : undefined;
    await pass(5_000);
    await pass(4_000);
    registry.failOn('keepAlive');
    // Asked for at 5 s, answered at 9 s: gone from etcd at 20 s.
    await pass(11_000);
    expect(onDoubt).not.toHaveBeenCalled();
    await pass(1_100);
    expect(onDoubt).toHaveBeenCalledTimes(1);
  });
});

describe('the lease is kept', () => {
  test('over keep-alives that fail for less than a TTL, which are told once', async () => {
    const { registry, onDoubt, messages } = await start();
    registry.failOn('keepAlive');
    await pass(12_000);
    registry.recover();
    await pass(ttlMs * 2);
    expect(onDoubt).not.toHaveBeenCalled();
    expect(messages('warn')).toEqual(['keep-alive failed; trying again every second']);
    expect(messages('info')).toContain('keep-alive works again');
  });

  test('when "lost" is said of the one before it', async () => {
    const { registry, keeper, onDoubt } = await start();
    const answer = deferred();
    registry.before = (call) => (call === 'keepAlive' ? answer.promise : undefined);
    await until('a keep-alive', () => registry.count('keepAlive') === 1);
    registry.expire('lease-1');
    keeper.drop();
    expect(await keeper.current(controller.signal)).toBe('lease-2');
    answer.resolve();
    await settle();
    expect(onDoubt).not.toHaveBeenCalled();
    expect(keeper.peek()).toBe('lease-2');
  });
});

test('ends when it is cancelled, also within a keep-alive', async () => {
  const registry = new FakeRegistry();
  const keeper = createLeaseKeeper({ registry, ttlMs, log: recordingLog().log });
  const onDoubt = vi.fn();
  const run = keeper.run(onDoubt, controller.signal);
  const outcome = expect(run).rejects.toMatchObject({ name: 'AbortError' });
  await keeper.current(controller.signal);
  registry.before = (call) => (call === 'keepAlive' ? new Promise(() => undefined) : undefined);
  await until('a keep-alive', () => registry.count('keepAlive') === 1);
  controller.abort();
  await outcome;
  expect(onDoubt).not.toHaveBeenCalled();
});
