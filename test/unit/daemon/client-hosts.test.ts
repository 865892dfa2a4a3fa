import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createClientHosts, type ClientHosts } from '../../../src/daemon/client-hosts.js';
import { DeniedError } from '../../../src/ports/registry.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingLog } from '../support/log.js';
import { pass, settle, until } from '../support/time.js';

const key = '/backends-clients/web-1:0123ab';
const minuteMs = 60_000;

let registry: FakeRegistry;
let recorded: ReturnType<typeof recordingLog>;
let controller: AbortController;
let clientHosts: ClientHosts;
let changes: number;
let ended: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  registry = new FakeRegistry();
  recorded = recordingLog();
  controller = new AbortController();
  changes = 0;
  clientHosts = createClientHosts({
    registry,
    key,
    value: 'docker-discover 0.1.0',
    ttlMs: 3 * minuteMs,
    everyMs: minuteMs,
    log: recorded.log,
    onChange: () => {
      changes += 1;
    },
  });
  ended = Promise.resolve();
});
afterEach(async () => {
  await stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function start(): void {
  ended = clientHosts.run(controller.signal);
}

async function stop(): Promise<void> {
  controller.abort();
  await ended;
}

/** Its key is put, which takes up to a quarter of a minute. */
const standing = (): Promise<void> => until('the key', () => registry.entries.has(key));

const warnings = (): string[] => [...recorded.messages('warn'), ...recorded.messages('error')];

describe('a client host', () => {
  test('is one of those that it counts, and hears of others within a minute', async () => {
    expect(clientHosts.count()).toBeNull();
    start();
    await settle();
    expect(clientHosts.count()).toBe(1);
    await standing();
    expect(registry.values()).toEqual({ [key]: 'docker-discover 0.1.0' });
    expect(clientHosts.count()).toBe(1);
    registry.put('/backends-clients/web-2:0123ab', '', 'other');
    await pass(minuteMs);
    expect(clientHosts.count()).toBe(2);
    registry.remove('/backends-clients/web-2:0123ab');
    await pass(minuteMs);
    expect(clientHosts.count()).toBe(1);
    expect(changes).toBe(3);
  });

  test('that begins counts at once, and puts its key within a quarter of a minute, another at another time', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.99);
    for (let n = 1; n < 900; n += 1) registry.put(`/backends-clients/host-${String(n)}`, '', 'other');
    start();
    await settle();
    expect(clientHosts.count()).toBe(899);
    await pass(14_800);
    expect(registry.count('grantLease') + registry.count('apply')).toBe(0);
    await pass(100);
    expect([registry.entries.has(key), clientHosts.count()]).toEqual([true, 900]);
  });

  test('asks little: its key is put once, kept alive once a minute, and counted once or twice', async () => {
    start();
    await pass(20 * minuteMs);
    expect(registry.count('apply')).toBe(1);
    expect(registry.count('keepAlive')).toBe(20);
    expect(registry.count('countKeys')).toBeGreaterThanOrEqual(20);
    expect(registry.count('countKeys')).toBeLessThanOrEqual(42);
    expect(registry.count('list') + registry.count('watch')).toBe(0);
    expect(recorded.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  test('asks as much more seldom as there are more than a thousand', async () => {
    for (let n = 1; n < 10_000; n += 1) registry.put(`/backends-clients/host-${String(n)}`, '', 'other');
    start();
    await pass(60 * minuteMs);
    expect(clientHosts.count()).toBe(10_000);
    expect(registry.count('countKeys')).toBeGreaterThanOrEqual(6);
    expect(registry.count('countKeys')).toBeLessThanOrEqual(13);
  });

  test('takes its key away at its end, and no other', async () => {
    registry.put('/backends-clients/web-2:0123ab', '', 'other');
    start();
    await standing();
    await stop();
    expect(Object.keys(registry.values())).toEqual(['/backends-clients/web-2:0123ab']);
  });

  test('ends although etcd does not take it away', async () => {
    start();
    await standing();
    registry.failOn('revoke');
    await stop();
    expect(registry.entries.has(key)).toBe(true);
  });

  test('whose lease was lost, or whose key somebody deleted, is there again', async () => {
    start();
    await standing();
    registry.expire('lease-1');
    await until('the key under another lease', () => registry.entries.get(key)?.lease === 'lease-2');
    registry.remove(key);
    await standing();
    expect(warnings()).toEqual([]);
  });

  test('that is alone, and whose key somebody deleted, is counted again within two minutes', async () => {
    start();
    await standing();
    registry.remove(key);
    await pass(2 * minuteMs);
    expect([registry.entries.has(key), clientHosts.count()]).toEqual([true, 1]);
  });

  test('whose key somebody deleted with those of all others puts it again, though another was sooner; where one of many is gone it does not', async () => {
    for (let n = 1; n < 100; n += 1) registry.put(`/backends-clients/host-${String(n)}`, '', 'other');
    start();
    await standing();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    await pass(2 * minuteMs);
    registry.remove('/backends-clients/host-1');
    await pass(4 * minuteMs);
    expect([clientHosts.count(), registry.count('apply')]).toEqual([99, 1]);
    for (const name of [...registry.entries.keys()].filter((one) => one !== '/backends-clients/host-2'))
      registry.remove(name);
    await pass(2 * minuteMs);
    expect([registry.entries.has(key), clientHosts.count(), registry.count('apply')]).toEqual([true, 2, 2]);
  });

  test('goes by the last count while etcd is away, says nothing of its own to it, and goes on after', async () => {
    start();
    await standing();
    registry.put('/backends-clients/web-2:0123ab', '', 'other');
    registry.failOn('apply', 'countKeys', 'keepAlive', 'grantLease');
    await pass(10 * minuteMs);
    expect(clientHosts.count()).toBe(1);
    registry.recover();
    await pass(2 * minuteMs);
    expect(clientHosts.count()).toBe(2);
    expect(warnings()).toEqual([]);
  });

  test('soon hears how many there are when etcd was away at its start', async () => {
    registry.failOn('apply', 'countKeys', 'grantLease');
    start();
    await pass(minuteMs);
    expect(clientHosts.count()).toBeNull();
    registry.recover();
    await pass(6_000);
    expect(clientHosts.count()).toBe(1);
  });

  test('and when it was away at its very beginning, before its key is put', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.99);
    registry.failOn('apply', 'countKeys', 'grantLease');
    start();
    await pass(500);
    registry.recover();
    await pass(6_000);
    expect([clientHosts.count(), registry.count('apply')]).toEqual([1, 0]);
  });

  test('that may only read is told so in one line, and in one that it may', async () => {
    const refused = 'etcd did not take it: `etcdctl role grant-permission` gives it, see docs/security.md';
    registry.before = (call) => {
      if (call === 'apply' || call === 'countKeys') throw new DeniedError(refused);
    };
    start();
    await pass(10 * minuteMs);
    expect(clientHosts.count()).toBeNull();
    expect(recorded.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { msg: 'client hosts can not be counted; checks go by the last count, or by one', key, error: refused },
    ]);
    registry.recover();
    await pass(minuteMs);
    expect(clientHosts.count()).toBe(1);
    expect(recorded.messages('info')).toEqual(['client hosts can be counted again']);
  });
});
