import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sealOf, unsealed, withoutSignature } from '../../../src/core/signature.js';
import { createDesiredKeys } from '../../../src/daemon/desired-keys.js';
import { createLeaseKeeper, type LeaseKeeper } from '../../../src/daemon/lease-keeper.js';
import { createRegistrar, type NextLook, type Registrar } from '../../../src/daemon/registrar.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { FakeView } from '../support/container-view.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingLog } from '../support/log.js';
import { recordingMeter } from '../support/meter.js';
import { until } from '../support/time.js';
import { prefix, policyWith } from '../support/registrations.js';
import { pairOf, sealBy } from '../support/signing.js';

const hostIp = '10.170.71.226';
const { signal } = new AbortController();
const one = containerWith({ id: containerId('aaaaaaaaaaaa'), ports: [publishedPort(8000, 49153)] });
const two = containerWith({ id: containerId('bbbbbbbbbbbb'), ports: [publishedPort(8000, 49154)] });
const keyOne = '/backends/whoami/aaaaaaaaaaaa';
const keyTwo = '/backends/whoami/bbbbbbbbbbbb';
const valueOne = '10.170.71.226:49153?port=8000';
const valueTwo = '10.170.71.226:49154?port=8000';

let registry: FakeRegistry;
let fake: FakeView;
let recorded: ReturnType<typeof recordingLog>;
let measured: ReturnType<typeof recordingMeter>;

beforeEach(() => {
  registry = new FakeRegistry();
  fake = new FakeView();
  fake.containers = [one, two];
  recorded = recordingLog();
  measured = recordingMeter();
});

/** A docker-register that has just started. */
function start(seal = unsealed): {
  registrar: Registrar;
  keeper: LeaseKeeper;
  reconcile: (...reasons: string[]) => Promise<NextLook>;
} {
  const keeper = createLeaseKeeper({ registry, ttlMs: 15_000, log: recorded.log });
  const policy = policyWith({ hostIp });
  const desiredKeys = createDesiredKeys({ prefix, policy, view: fake.view, changeRate: 1, log: recorded.log });
  const registrar = createRegistrar({
    registry,
    prefix,
    policy,
    desiredKeys,
    keeper,
    seal,
    log: recorded.log,
    meter: measured.meter,
  });
  return { registrar, keeper, reconcile: (...reasons) => registrar.reconcile(reasons, signal) };
}

function leases(): (string | undefined)[] {
  return [keyOne, keyTwo].map((key) => registry.entries.get(key)?.lease);
}

test('registers what runs, on the one lease of the host', async () => {
  const { registrar, reconcile } = start();
  await reconcile('start');
  expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
  expect(leases()).toEqual(['lease-1', 'lease-1']);
  expect(registrar.count()).toBe(2);
});

test('waits for its turn to list where etcd is busy, once: afterwards there are keys to keep in order', async () => {
  vi.useFakeTimers();
  try {
    for (let n = 0; n < 1_000; n += 1) registry.put(`/backends/shop/${String(n)}`, '10.0.0.1:80');
    registry.before = (call) =>
      call === 'revision' ? new Promise((resolve) => setTimeout(resolve, 1_000)) : Promise.resolve();
    const { reconcile } = start();
    const started = reconcile('start');
    await until('a rest', () => registry.count('revision') === 3);
    expect(registry.count('list')).toBe(0);
    await until('the listing', () => registry.count('list') === 1);
    await started;
    const asked = registry.count('revision');
    registry.failOn('apply');
    fake.containers = [two];
    await expect(reconcile('die')).rejects.toThrow('etcd did not apply');
    registry.recover();
    await reconcile('retry');
    expect([registry.count('listOwn'), registry.count('revision')]).toEqual([1, asked]);
  } finally {
    vi.useRealTimers();
  }
});

test('writes nothing when nothing changed, and does not list again', async () => {
  const { reconcile } = start();
  await reconcile('start');
  await reconcile('event');
  expect(registry.count('list')).toBe(1);
  expect(registry.applied.map(({ diff }) => diff.puts.length + diff.deletes.length)).toEqual([2, 0]);
});

test('deregisters what is gone, and only that', async () => {
  const { registrar, reconcile } = start();
  await reconcile('start');
  fake.containers = [two];
  await reconcile('die');
  expect(registry.applied.at(-1)?.diff).toEqual({ puts: [], deletes: [keyOne] });
  expect(registrar.count()).toBe(1);
});

test('announces a stop before it deregisters', async () => {
  const { reconcile } = start();
  await reconcile('start');
  fake.stopping = new Set([one.id]);
  await reconcile('kill');
  expect(registry.values()).toEqual({ [keyOne]: `${valueOne}&state=drain`, [keyTwo]: valueTwo });
});

test('tells what it registered, what drains and what it deregistered, of which container, and why', async () => {
  const { reconcile } = start();
  await reconcile('start');
  fake.stopping = new Set([one.id]);
  await reconcile('kill aaaaaaaaaaaa');
  fake.containers = [two];
  await reconcile('die aaaaaaaaaaaa');
  const container = one.name;
  expect(recorded.lines.filter(({ msg }) => /registered$|^draining$/.test(msg))).toMatchObject([
    { msg: 'registered', container, key: keyOne, value: valueOne, reasons: ['start'] },
    { msg: 'registered', container: two.name, key: keyTwo, value: valueTwo, reasons: ['start'] },
    { msg: 'draining', container, key: keyOne, value: `${valueOne}&state=drain`, reasons: ['kill aaaaaaaaaaaa'] },
    { msg: 'deregistered', container, key: keyOne, reasons: ['die aaaaaaaaaaaa'] },
  ]);
});

test('tells once why a container is skipped', async () => {
  fake.containers = [containerWith({ ports: [] })];
  const { reconcile } = start();
  await reconcile('start');
  await reconcile('resync');
  expect(recorded.lines.filter(({ msg }) => msg === 'skipped')).toMatchObject([
    { level: 'debug', container: 'whoami-1', reason: 'it publishes no port', mend: 'start it with -p PORT' },
  ]);
  fake.containers = [containerWith({ status: 'paused' })];
  await reconcile('pause');
  expect(recorded.messages().filter((msg) => msg === 'skipped')).toHaveLength(2);
});

describe('after a restart', () => {
  beforeEach(async () => {
    await start().reconcile('start');
  });

  test('puts the same values under the new lease, and creates no key anew', async () => {
    const created = registry.entries.get(keyOne)?.createRevision;
    const { reconcile } = start();
    await reconcile('start');
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
    expect(leases()).toEqual(['lease-2', 'lease-2']);
    expect(registry.entries.get(keyOne)?.createRevision).toBe(created);
    expect(registry.applied.at(-1)?.diff.deletes).toEqual([]);
  });

  test('removes at once the keys of containers that are gone, when their lease was missed a keep-alive', async () => {
    registry.leaseTimes.set('lease-1', () => ({ remainingMs: 6_000, grantedMs: 15_000 }));
    fake.containers = [two];
    expect(await start().reconcile('start')).toMatchObject({ listAgainInMs: null });
    expect(registry.values()).toEqual({ [keyTwo]: valueTwo });
  });

  test('leaves the keys of a container about which Docker is silent as they stand, under its own lease', async () => {
    registry.leaseTimes.set('lease-1', () => ({ remainingMs: 6_000, grantedMs: 15_000 }));
    fake.containers = [two];
    fake.silent = new Set([one.id]);
    const { reconcile } = start();
    await reconcile('start');
    await reconcile('event');
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
    expect(leases()).toEqual(['lease-2', 'lease-2']);
    // It tells at last, and is gone.
    fake.silent = new Set();
    await reconcile('Docker answers');
    expect(registry.values()).toEqual({ [keyTwo]: valueTwo });
  });

  test('looks again where a member of etcd may carry out late what it was asked', async () => {
    const { registrar, reconcile } = start();
    registry.mayRepeat = true;
    expect(await reconcile('start')).toMatchObject({ listAgainInMs: 7_000 });
    registry.mayRepeat = false;
    // As a delete that was given up long ago.
    registry.remove(keyOne);
    registrar.review();
    expect(await reconcile('again')).toMatchObject({ listAgainInMs: null });
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
  });

  test('looks again in a second while it is not known whether their lease is kept alive', async () => {
    fake.containers = [two];
    const { registrar, reconcile } = start();
    expect(await reconcile('start')).toMatchObject({ listAgainInMs: 1_000 });
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
    registry.leaseTimes.set('lease-1', () => ({ remainingMs: 6_000, grantedMs: 15_000 }));
    registrar.review();
    expect(await reconcile('again')).toMatchObject({ listAgainInMs: null });
    expect(registry.values()).toEqual({ [keyTwo]: valueTwo });
  });

  test('leaves alone what is not its own', async () => {
    const others = {
      '/backends/whoami/by-hand': '10.170.71.226:1?port=8000',
      '/backends/whoami/cccccccccccc': '10.170.71.227:1?port=8000',
      '/backends/whoami/dddddddddddd': 'nonsense',
      '/backends/nonsense': '10.170.71.226:1',
    };
    for (const [key, value] of Object.entries(others)) registry.put(key, value, 'lease-of-another');
    registry.put('/backends/whoami/eeeeeeeeeeee', '10.170.71.226:2?port=8000', '0');
    for (const lease of registry.leases)
      registry.leaseTimes.set(lease, () => ({ remainingMs: 1_000, grantedMs: 15_000 }));
    fake.containers = [];
    await start().reconcile('start');
    expect(registry.values()).toEqual({ ...others, '/backends/whoami/eeeeeeeeeeee': '10.170.71.226:2?port=8000' });
  });
});

describe('another docker-register', () => {
  const theirs = { '/backends/whoami/cccccccccccc': '10.170.71.226:49157?port=8000' };
  const theirKey = '/backends/whoami/cccccccccccc';
  let nowMs: number;
  let remainingMs: () => number;

  beforeEach(() => {
    nowMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    registry.leases.add('theirs');
    registry.leaseTimes.set('theirs', () => ({ remainingMs: remainingMs(), grantedMs: 15_000 }));
    // It is kept alive every 5 s.
    remainingMs = () => 1_000 * Math.floor((15_000 - (nowMs % 5_000)) / 1_000);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Lists again whenever it is told to. */
  async function watch({ registrar, reconcile }: ReturnType<typeof start>, untilMs: number): Promise<void> {
    while (nowMs < untilMs) {
      registrar.review();
      const { listAgainInMs } = await reconcile('resync');
      nowMs += listAgainInMs ?? 60_000;
    }
  }

  test('with the same HOST_IP is warned of once a minute, and its keys are left alone', async () => {
    registry.put(theirKey, theirs[theirKey], 'theirs');
    const started = start();
    await watch(started, 130_000);
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo, ...theirs });
    const warnings = recorded.lines.filter(({ level }) => level === 'warn');
    expect(warnings.length).toBe(3);
    expect(warnings[0]).toMatchObject({ hostIp, lease: 'theirs', key: theirKey, keys: 1 });
    expect(warnings[0]?.msg).toContain('another docker-register has the same HOST_IP');

    const deadAt = nowMs;
    remainingMs = () => 15_000 - (nowMs - deadAt);
    await watch(started, deadAt + 15_000);
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
    expect(recorded.messages('info')).toContain('the other docker-register is gone');
  });

  test('that has a key by the same SERVICE_ID is warned of, and keeps it, also when the container here is gone', async () => {
    const key = '/backends/whoami/named';
    const value = '10.170.71.227:1?port=8000';
    registry.put(key, value, 'theirs');
    const [first] = fake.containers;
    if (first === undefined) throw new RangeError('no container');
    fake.containers = [{ ...first, labels: new Map([['SERVICE_ID', 'named']]) }];
    const started = start();
    await watch(started, 20_000);
    expect(registry.values()).toEqual({ [key]: value });
    expect(recorded.messages('warn').join()).toContain('another registration has the same SERVICE_ID');
    fake.containers = [];
    await started.reconcile('event');
    expect(registry.values()).toEqual({ [key]: value });
  });

  test('on the same engine is warned of, and not fought over each key', async () => {
    const started = start();
    await started.reconcile('start');
    for (const [key, value] of [[keyOne, valueOne] as const, [keyTwo, valueTwo] as const])
      registry.put(key, value, 'theirs');
    await watch(started, 130_000);
    expect(leases()).toEqual(['theirs', 'theirs']);
    const warnings = recorded.lines.filter(({ level }) => level === 'warn');
    expect(warnings.length).toBe(3);
    expect(warnings[0]).toMatchObject({ lease: 'theirs', key: `${keyOne}, ${keyTwo}`, keys: 2 });
    expect(warnings[0]?.msg).toMatch(/run one per Docker engine, and see whether .* as SERVICE_ID$/);
    expect(warnings[0]?.msg).toContain('run one per Docker engine');

    const deadAt = nowMs;
    remainingMs = () => 15_000 - (nowMs - deadAt);
    await watch(started, deadAt + 14_000);
    // Before its lease takes the keys along.
    expect(leases()).toEqual(['lease-1', 'lease-1']);
  });
});

describe('when the lease is lost', () => {
  test('puts everything again under the next', async () => {
    const { registrar, keeper, reconcile } = start();
    await reconcile('start');
    registry.expire('lease-1');
    keeper.drop();
    registrar.review();
    await reconcile('lease lost');
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
    expect(leases()).toEqual(['lease-2', 'lease-2']);
  });

  test('tells the client hosts of a container that died meanwhile: its key drains, then it is deleted', async () => {
    const { registrar, keeper, reconcile } = start();
    await reconcile('start');
    registry.expire('lease-1');
    keeper.drop();
    registrar.review();
    fake.containers = [two];
    await reconcile('lease lost');
    expect(registry.values()).toEqual({ [keyTwo]: valueTwo });
    expect(registry.applied.slice(-2).map(({ diff }) => diff)).toEqual([
      { puts: [{ key: keyOne, value: `${valueOne}&state=drain` }], deletes: [] },
      { puts: [{ key: keyTwo, value: valueTwo }], deletes: [keyOne] },
    ]);
    registrar.review();
    await reconcile('resync');
    expect(registry.applied.at(-1)?.diff).toEqual({ puts: [], deletes: [] });
  });

  test('tells the client hosts also of one whose key it deleted when it had gone with the lease already', async () => {
    const { registrar, keeper, reconcile } = start();
    await reconcile('start');
    registry.expire('lease-1');
    fake.containers = [two];
    await reconcile('die aaaaaaaaaaaa');
    keeper.drop();
    registrar.review();
    await reconcile('lease lost');
    expect(registry.applied.at(-2)?.diff).toEqual({
      puts: [{ key: keyOne, value: `${valueOne}&state=drain` }],
      deletes: [],
    });
    expect(registry.values()).toEqual({ [keyTwo]: valueTwo });
  });

  test('tells of it also when etcd fails in between', async () => {
    const { registrar, keeper, reconcile } = start();
    await reconcile('start');
    registry.expire('lease-1');
    keeper.drop();
    registrar.review();
    fake.containers = [];
    registry.failOn('apply');
    await expect(reconcile('lease lost')).rejects.toThrow('etcd did not apply');
    registry.recover();
    await reconcile('again');
    expect(registry.values()).toEqual({});
    expect(registry.applied.slice(-2).map(({ diff }) => diff.puts.length)).toEqual([2, 0]);
  });

  test('finds it out by a transaction too, and the next attempt has another lease', async () => {
    const { reconcile } = start();
    fake.containers = [one];
    await reconcile('start');
    registry.expire('lease-1');
    fake.containers = [one, two];
    await expect(reconcile('start bbbbbbbbbbbb')).rejects.toThrow('etcd no longer knows lease lease-1');
    await reconcile('again');
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
    expect(leases()).toEqual(['lease-2', 'lease-2']);
  });
});

describe('when etcd fails', () => {
  test('a transaction of which nobody knows whether it was taken is followed by a list', async () => {
    const { reconcile } = start();
    await reconcile('start');
    registry.remove(keyTwo);
    fake.containers = [
      one,
      two,
      containerWith({ id: containerId('cccccccccccc'), ports: [publishedPort(8000, 49155)] }),
    ];
    registry.failOn('apply');
    await expect(reconcile('start cccccccccccc')).rejects.toThrow('etcd did not apply');
    registry.recover();
    await reconcile('again');
    expect(registry.count('list')).toBe(2);
    expect(Object.keys(registry.values()).sort()).toEqual([keyOne, keyTwo, '/backends/whoami/cccccccccccc']);
  });

  test('a list that failed is made again', async () => {
    const { reconcile } = start();
    registry.failOn('list');
    await expect(reconcile('start')).rejects.toThrow('etcd did not list');
    expect(registry.applied).toEqual([]);
    registry.recover();
    await reconcile('again');
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
  });

  test('nothing is told as registered', async () => {
    const { registrar, reconcile } = start();
    registry.failOn('apply');
    await expect(reconcile('start')).rejects.toThrow();
    expect(recorded.messages()).not.toContain('registered');
    expect(registrar.count()).toBe(0);
  });
});

test('puts back what somebody changed or deleted by hand, at the next list', async () => {
  const { registrar, reconcile } = start();
  await reconcile('start');
  registry.remove(keyOne);
  registry.put(keyTwo, '10.0.0.1:1', 'lease-1');
  registrar.review();
  await reconcile('resync');
  expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
});

describe('where nothing could have left keys behind', () => {
  const others = 10_000;
  const fill = (): void => {
    for (let n = 0; n < others; n += 1)
      registry.put(`/backends/other/${String(n)}`, `10.0.0.1:${String(n)}`, 'lease-x');
  };

  test('only our own keys are looked at, and put right', async () => {
    fill();
    const { registrar, reconcile } = start();
    await reconcile('start');
    registry.remove(keyOne);
    registry.put(keyTwo, '10.0.0.1:1', 'lease-1');
    registry.put('/backends/whoami/cccccccccccc', '10.170.71.226:1?port=1', 'lease-1');
    registrar.review();
    await reconcile('resync');
    expect([registry.values()[keyOne], registry.values()[keyTwo]]).toEqual([valueOne, valueTwo]);
    expect(registry.values()).not.toHaveProperty('/backends/whoami/cccccccccccc');
    expect([registry.count('list'), registry.count('listOwn')]).toEqual([1, 1]);
  });

  test('all are listed when that was long ago for their number, and not after another lease', async () => {
    vi.useFakeTimers();
    try {
      fill();
      const { registrar, reconcile, keeper } = start();
      await reconcile('start');
      await vi.advanceTimersByTimeAsync(9 * 60_000);
      registrar.review();
      await reconcile('resync');
      expect([registry.count('list'), registry.count('listOwn')]).toEqual([1, 1]);
      await vi.advanceTimersByTimeAsync(2 * 60_000);
      registrar.review();
      await reconcile('resync');
      expect([registry.count('list'), registry.count('listOwn')]).toEqual([2, 1]);
      keeper.drop();
      registrar.review();
      await reconcile('lease lost');
      expect([registry.count('list'), registry.count('listOwn')]).toEqual([2, 2]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('all are listed at some other moment when etcd was away as that was due', async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    try {
      fill();
      const { registrar, reconcile } = start();
      await reconcile('start');
      await vi.advanceTimersByTimeAsync(11 * 60_000);
      registry.failOn('list', 'listOwn');
      registrar.review();
      await expect(reconcile('resync')).rejects.toThrow('etcd did not list');
      registry.recover();
      await reconcile('resync');
      expect([registry.count('list'), registry.count('listOwn')]).toEqual([2, 1]);
      await vi.advanceTimersByTimeAsync(4 * 60_000);
      registrar.review();
      await reconcile('resync');
      expect([registry.count('list'), registry.count('listOwn')]).toEqual([2, 2]);
      await vi.advanceTimersByTimeAsync(2 * 60_000);
      registrar.review();
      await reconcile('resync');
      expect([registry.count('list'), registry.count('listOwn')]).toEqual([3, 2]);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });

  const three = containerWith({ id: containerId('cccccccccccc'), ports: [publishedPort(8000, 49155)] });
  const keyThree = '/backends/whoami/cccccccccccc';
  const valueThree = '10.170.71.226:49155?port=8000';

  test('what hangs on a lease that was lost, though etcd keeps it, goes with its container', async () => {
    fill();
    const { registrar, keeper, reconcile } = start();
    await reconcile('start');
    keeper.drop();
    registrar.review();
    fake.containers = [two];
    await reconcile('lease lost');
    expect([registry.entries.has(keyOne), registry.entries.get(keyTwo)?.lease]).toEqual([false, 'lease-2']);
    expect(registry.count('list')).toBe(1);
  });

  test('and what was put, though the answer was lost', async () => {
    fill();
    const { keeper, reconcile } = start();
    await reconcile('start');
    registry.losesAnswers = true;
    fake.containers = [one, two, three];
    await expect(reconcile('start')).rejects.toThrow('the answer was lost');
    registry.losesAnswers = false;
    keeper.drop();
    // Another has its address now, so that nobody is told of its end by a drain.
    fake.containers = [one, two, { ...three, id: containerId('dddddddddddd') }];
    await reconcile('die');
    expect(registry.entries.has(keyThree)).toBe(false);
    expect(registry.count('list')).toBe(1);
  });

  test('what a member that was given up puts long after its container died is found', async () => {
    fill();
    const { registrar, keeper, reconcile } = start();
    await reconcile('start');
    keeper.drop();
    registrar.review();
    fake.containers = [one, two, three];
    await reconcile('lease lost');
    fake.containers = [one, two];
    await reconcile('die');
    registrar.review();
    await reconcile('resync');
    registry.put(keyThree, valueThree, 'lease-1');
    registrar.review();
    await reconcile('resync');
    expect(registry.entries.has(keyThree)).toBe(false);
    expect(registry.count('list')).toBe(1);
  });

  test('a name that another registration has is left to it', async () => {
    fill();
    registry.put('/backends/whoami/named', '10.0.0.7:80', 'theirs');
    registry.leases.add('theirs');
    const { reconcile } = start();
    await reconcile('start');
    fake.containers = [
      one,
      containerWith({ id: two.id, labels: new Map([['SERVICE_ID', 'named']]), ports: [publishedPort(8000, 49154)] }),
    ];
    await reconcile('start');
    expect(registry.values()['/backends/whoami/named']).toBe('10.0.0.7:80');
    expect([registry.count('list'), registry.count('listOwn')]).toEqual([1, 1]);
  });

  test('what a process that is gone has left is deleted, though etcd failed at first', async () => {
    fill();
    registry.put(keyThree, valueThree, 'other');
    registry.leases.add('other');
    registry.leaseTimes.set('other', () => ({ remainingMs: 12_000, grantedMs: 15_000 }));
    const { registrar, reconcile } = start();
    await reconcile('start');
    registry.leases.delete('other');
    registrar.review();
    registry.failOn('apply');
    await expect(reconcile('again')).rejects.toThrow('etcd did not apply');
    registry.recover();
    await reconcile('again');
    expect(registry.entries.has(keyThree)).toBe(false);
    expect([registry.count('list'), registry.count('listOwn')]).toEqual([2, 1]);
  });

  test('what became of a transaction is found out by the keys that we have ever asked for', async () => {
    fill();
    const { registrar, keeper, reconcile } = start();
    await reconcile('start');
    fake.containers = [one, two, three];
    registry.failOn('apply');
    await expect(reconcile('start')).rejects.toThrow('etcd did not apply');
    registry.recover();
    fake.containers = [one, two];
    keeper.drop();
    await reconcile('die');
    // The member that was given up does it now, under the lease of then.
    registry.put(keyThree, valueThree, 'lease-1');
    registrar.review();
    await reconcile('again');
    expect(registry.entries.has(keyThree)).toBe(false);
    expect(registry.count('list')).toBe(1);
  });

  test('all are listed again while others may have keys that are ours', async () => {
    fill();
    registry.put('/backends/whoami/cccccccccccc', '10.170.71.226:1?port=8000', 'other');
    registry.leases.add('other');
    registry.leaseTimes.set('other', () => ({ remainingMs: 12_000, grantedMs: 15_000 }));
    const { registrar, reconcile } = start();
    expect((await reconcile('start')).listAgainInMs).toBeGreaterThan(0);
    // Also for whatever else is looked at: no fewer tell whether the others are still there.
    registrar.review();
    expect((await reconcile('resync')).listAgainInMs).toBeGreaterThan(0);
    registry.failOn('apply');
    fake.containers = [one];
    await expect(reconcile('die')).rejects.toThrow('etcd did not apply');
    registry.recover();
    expect((await reconcile('again')).listAgainInMs).toBeGreaterThan(0);
    expect([registry.count('list'), registry.count('listOwn')]).toEqual([3, 0]);
    registry.expire('other');
    registrar.review();
    expect(await reconcile('again')).toMatchObject({ listAgainInMs: null });
    registrar.review();
    await reconcile('again');
    expect([registry.count('list'), registry.count('listOwn')]).toEqual([4, 1]);
  });
});

test('an etcd that is full is given the removals, also beside one that could never be put', async () => {
  const { reconcile } = start();
  await reconcile('start');
  const apply = registry.apply.bind(registry);
  registry.apply = async (diff, ...rest) => {
    if (diff.puts.length === 0) return apply(diff, ...rest);
    await apply({ puts: [], deletes: diff.deletes }, ...rest);
    throw new Error('etcd is full');
  };
  fake.containers = [one, two, containerWith({ id: containerId('cccccccccccc'), ports: [publishedPort(8000, 49155)] })];
  await expect(reconcile('start')).rejects.toThrow('etcd is full');
  fake.containers = [two];
  await expect(reconcile('die')).rejects.toThrow('etcd is full');
  expect(registry.values()).toEqual({ [keyTwo]: valueTwo });
});

test('withdraws by deleting the keys, while the lease lives on: that is how a withdrawal is told from a death', async () => {
  const { registrar, reconcile } = start();
  await reconcile('start');
  await registrar.withdraw(signal);
  expect(registry.values()).toEqual({});
  expect([...registry.leases]).toEqual(['lease-1']);
  expect(registrar.count()).toBe(0);
});

test('withdraws also what a transaction of unknown outcome may have put', async () => {
  const { registrar, reconcile } = start();
  await reconcile('start');
  registry.losesAnswers = true;
  fake.containers = [one, two, containerWith({ id: containerId('cccccccccccc'), ports: [publishedPort(8000, 49155)] })];
  await expect(reconcile('start cccccccccccc')).rejects.toThrow('the answer was lost');
  registry.losesAnswers = false;
  await registrar.withdraw(signal);
  expect(registry.values()).toEqual({});
});

describe('where registrations are signed', () => {
  const seal = sealBy('a');
  const sealed = (by = seal): Record<string, string> => ({
    [keyOne]: by.seal(keyOne, valueOne),
    [keyTwo]: by.seal(keyTwo, valueTwo),
  });
  const puts = (): number => registry.applied.reduce((sum, { diff }) => sum + diff.puts.length, 0);

  test('each is put with the signature, once', async () => {
    const { registrar, reconcile } = start(seal);
    await reconcile('start');
    expect(registry.values()).toEqual(sealed());
    registrar.review();
    await reconcile('resync');
    await reconcile('again');
    expect(puts()).toBe(2);
  });

  test('one whose time alone is another is not put again', async () => {
    fake.times = new Map([[one.id, 1_764_206_411_123]]);
    const { registrar, reconcile } = start(seal);
    await reconcile('start');
    fake.times = new Map();
    registrar.review();
    await reconcile('resync');
    expect(puts()).toBe(2);
    expect(registry.values()[keyOne]).toBe(seal.seal(keyOne, `${valueOne}&at=2025-11-27T01:20:11.123Z`));
  });

  test.each([
    ['is missing', (value: string) => withoutSignature(value)],
    ['is of another', () => sealBy('b').seal(keyOne, valueOne)],
    ['is of what stood there before', (value: string) => value.replace('49153', '49999')],
    ['is of another key of etcd', () => seal.seal(keyTwo, valueOne)],
  ])('one whose signature %s is put again', async (_what, alter) => {
    const { registrar, reconcile } = start(seal);
    await reconcile('start');
    registry.put(keyOne, alter(registry.values()[keyOne] ?? ''), 'lease-1');
    expect(registry.values()).not.toEqual(sealed());
    registrar.review();
    await reconcile('resync');
    expect(registry.values()).toEqual(sealed());
    expect(puts()).toBe(3);
  });

  test('another key is put on all of them', async () => {
    let pair = pairOf('a');
    const { registrar, reconcile } = start(sealOf(() => pair));
    await reconcile('start');
    pair = pairOf('b');
    registrar.review();
    await reconcile('signing key changed');
    expect(registry.values()).toEqual(sealed(sealBy('b')));
  });

  test('and no longer are, their values stand as they did before', async () => {
    await start(seal).reconcile('start');
    await start().reconcile('start');
    expect(registry.values()).toEqual({ [keyOne]: valueOne, [keyTwo]: valueTwo });
  });

  test('after a restart the values are the same', async () => {
    await start(seal).reconcile('start');
    const before = registry.values();
    await start(seal).reconcile('start');
    expect(registry.values()).toEqual(before);
    expect(leases()).toEqual(['lease-2', 'lease-2']);
  });

  test('one of a container about which Docker is silent stays; what is not ours does not get our signature', async () => {
    await start(seal).reconcile('start');
    const before = registry.values();
    registry.put(keyTwo, '10.170.71.226:6666?port=22', 'lease-1');
    // Nobody keeps it alive: what is ours there would be cleared away.
    registry.leaseTimes.set('lease-1', () => ({ remainingMs: 1_000, grantedMs: 15_000 }));
    fake.containers = [];
    fake.silent = new Set([one.id, two.id]);
    await start(seal).reconcile('start');
    expect(registry.values()).toEqual({ ...before, [keyTwo]: '10.170.71.226:6666?port=22' });
    expect(leases()).toEqual(['lease-2', 'lease-1']);
  });
});
