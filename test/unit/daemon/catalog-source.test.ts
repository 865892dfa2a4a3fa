import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Trust } from '../../../src/core/signers.js';
import { createCatalogSource, type CatalogSource } from '../../../src/daemon/catalog-source.js';
import { steadyNowMs } from '../../../src/daemon/clock.js';
import type { LeasedEntry } from '../../../src/core/catalog.js';
import { defaultLimits, type DiscoverLimits } from '../../../src/core/limits.js';
import type { StaleEntry } from '../../../src/core/last-known-good.js';
import { DeniedError } from '../../../src/ports/registry.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingLog } from '../support/log.js';
import { recordingMeter } from '../support/meter.js';
import { entryWith, prefix } from '../support/registrations.js';
import { signed, trustIn } from '../support/signing.js';
import { pass, settle, until } from '../support/time.js';

const pollMs = 5_000;
const value = '10.0.0.1:80?port=8000';
let controller: AbortController;
let registry: FakeRegistry;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
  controller = new AbortController();
  registry = new FakeRegistry();
});
afterEach(() => {
  controller.abort();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function start(
  initial: readonly LeasedEntry[] = [],
  stale: readonly StaleEntry[] = [],
  staleMs = 600_000,
  { trust = () => null, limits = defaultLimits }: { trust?: () => Trust | null; limits?: DiscoverLimits } = {},
): {
  source: CatalogSource;
  changes: string[];
  run: Promise<void>;
  messages: (level?: string) => string[];
} {
  const changes: string[] = [];
  const { log, messages } = recordingLog();
  const source = createCatalogSource({
    registry,
    prefix,
    pollMs,
    initial: { revision: 0, entries: initial, stale },
    trust,
    staleMs,
    limits,
    log,
    meter: recordingMeter().meter,
    onNews: () => undefined,
    onChange: (reason) => {
      changes.push(reason);
    },
  });
  const run = source.run(controller.signal);
  run.catch(() => undefined);
  return { source, changes, run, messages };
}

function keysOf(source: CatalogSource): string[] {
  return source.entries().map(({ key }) => key);
}

describe('before etcd has answered', () => {
  test('what stood there when the daemon last ran is served', async () => {
    registry.failOn('list');
    const { source, changes } = start([entryWith()]);
    await pass(60_000);
    expect(source.entries()).toEqual([entryWith()]);
    expect(source.catalog().services.map(({ name }) => name)).toEqual(['whoami']);
    expect([source.revision(), source.isLive(), changes]).toEqual([0, false, []]);
  });

  test('it is asked again until it answers, and then the list replaces what stood', async () => {
    registry.failOn('list');
    const { source, changes } = start([entryWith()]);
    await pass(10_000);
    registry.put('/backends/web/a', value);
    registry.recover();
    await until('the list', () => source.isLive());
    expect(keysOf(source)).toEqual(['/backends/web/a']);
    expect(changes).toEqual(['listed']);
  });

  test('an empty answer is an answer', async () => {
    const { source } = start([entryWith()]);
    await until('the list', () => source.isLive());
    expect(keysOf(source)).toEqual([]);
  });
});

describe('the watch', () => {
  test('tells what is put, put again and deleted', async () => {
    const { source, changes } = start();
    await until('the watch', () => registry.isWatched());
    registry.put('/backends/web/a', value);
    registry.put('/backends/web/b', value);
    registry.put('/backends/web/a', `${value}&state=drain`);
    registry.remove('/backends/web/b');
    expect(source.entries().map((entry) => [entry.key, entry.value])).toEqual([
      ['/backends/web/a', `${value}&state=drain`],
    ]);
    expect(source.revision()).toBe(5);
    expect(changes).toEqual(['listed', 'watch', 'watch', 'watch', 'watch']);
  });

  test('tells also of keys that break the grammar', async () => {
    const { source } = start();
    await until('the watch', () => registry.isWatched());
    registry.put('/backends/web', 'nonsense');
    expect(source.catalog().rejected.map(({ key }) => key)).toEqual(['/backends/web']);
    // Nothing of it is worth being kept over a restart.
    expect(keysOf(source)).toEqual([]);
  });

  test('that fails leads to a new list, and everything stays until that is answered', async () => {
    registry.put('/backends/web/a', value);
    const { source, changes } = start();
    await until('the watch', () => registry.isWatched());
    registry.muted = true;
    registry.put('/backends/web/b', value);
    registry.muted = false;
    registry.failOn('list');
    registry.breakWatch();
    await pass(30_000);
    expect(keysOf(source)).toEqual(['/backends/web/a']);
    expect(source.isLive()).toBe(false);
    registry.recover();
    await until('the list', () => source.isLive());
    expect(keysOf(source)).toEqual(['/backends/web/a', '/backends/web/b']);
    expect(changes).toEqual(['listed', 'listed']);
  });
});

describe('a new list', () => {
  test('leaves everything as it is that stands as it was known, and takes what differs', async () => {
    registry.put('/backends/web/a', value);
    registry.put('/backends/api/b', '10.0.0.2:80');
    registry.put('/backends/old/c', '10.0.0.3:80');
    const { source } = start();
    await until('the watch', () => registry.isWatched());
    const before = source.catalog().services;
    registry.muted = true;
    registry.put('/backends/api/b', '10.0.0.2:81');
    registry.remove('/backends/old/c');
    registry.muted = false;
    registry.breakWatch();
    await until('the list', () => registry.count('list') === 2 && source.isLive());
    const after = source.catalog().services;
    expect(after.map(({ name }) => name)).toEqual(['api', 'web']);
    expect(after.filter((service) => before.includes(service)).map(({ name }) => name)).toEqual(['web']);
  });

  test('of another etcd that counts anew is believed, also where a revision is the same', async () => {
    registry.put('/backends/web/a', value);
    const { source } = start();
    await until('the watch', () => registry.isWatched());
    const known = registry.entries.get('/backends/web/a');
    if (known === undefined) throw new Error('the key is not there');
    registry.entries.set(known.key, { ...known, value: '10.0.0.9:80' });
    registry.breakWatch();
    await until('the list', () => registry.count('list') === 2 && source.isLive());
    expect(source.catalog().services[0]?.endpoints[0]?.address.host).toBe('10.0.0.9');
  });
});

/** Nobody answers whether etcd has time for a listing; of that is told after so long. */
function isSilent(afterMs: number): void {
  registry.before = async (call) => {
    if (call !== 'revision') return;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    throw new Error('no answer');
  };
}

describe('a listing', () => {
  const left = (count: number): LeasedEntry[] =>
    Array.from({ length: count }, (_, n) => ({
      key: `/backends/web/${String(n)}`,
      value,
      createRevision: 1,
      lease: '1',
    }));

  test('waits while etcd is busy', async () => {
    registry.before = (call) =>
      call === 'revision' ? new Promise((resolve) => setTimeout(resolve, 1_000)) : Promise.resolve();
    start();
    await until('a rest', () => registry.count('revision') === 3);
    expect(registry.count('list')).toBe(0);
    await pass(10 * 8_000);
    expect(registry.count('list')).toBe(1);
  });

  test.each([
    ['many', 1_000, 1],
    ['few', 999, 3],
  ])(
    'of %s keys, as is known from before, that etcd does not answer is asked so often within 10 s',
    async (_how, count, times) => {
      vi.spyOn(Math, 'random').mockReturnValue(0.5);
      isSilent(3_000);
      start(left(count));
      await pass(7_900);
      expect(registry.count('revision')).toBe(times);
    },
  );
});

describe('the poll', () => {
  test('lists nothing while it finds what the watch told', async () => {
    registry.put('/backends/web/a', value);
    const { source } = start();
    await until('the watch', () => registry.isWatched());
    registry.put('/backends/web/b', value);
    registry.remove('/backends/web/a');
    await pass(pollMs * 10);
    // One before the listing.
    expect(registry.count('fingerprint') + registry.count('revision')).toBe(1 + 10);
    expect(registry.count('list')).toBe(1);
    expect(source.isLive()).toBe(true);
  });

  test('mostly asks for no more than the revision, and in a minute at least once for what they say', async () => {
    registry.put('/backends/web/a', value);
    start();
    await until('the watch', () => registry.isWatched());
    await pass(pollMs * 120);
    // Every half of a minute to a minute, in ten of them.
    expect(registry.count('fingerprint')).toBeGreaterThanOrEqual(9);
    expect(registry.count('fingerprint')).toBeLessThanOrEqual(20);
    // One before the listing.
    expect(registry.count('fingerprint') + registry.count('revision')).toBe(1 + 120);
    expect(registry.count('countKeys')).toBe(1);
  });

  test('lists nothing where what one member says differs, and all of them together do not', async () => {
    registry.put('/backends/web/a', value);
    const { source } = start();
    await until('the watch', () => registry.isWatched());
    const stale = registry.entries.size + 5;
    registry.countKeys = () => Promise.resolve(stale);
    registry.revision = () => Promise.resolve(0);
    registry.put('/backends/web/b', value);
    await pass(pollMs * 10);
    expect(registry.count('list')).toBe(1);
    expect(source.isLive()).toBe(true);
  });

  test('finds an etcd that has lost its data behind a watch that stands, also where it has as many keys', async () => {
    for (let n = 0; n < 5; n += 1) registry.put('/backends/web/a', value);
    start();
    await until('the watch', () => registry.isWatched());
    registry.fingerprint = () => Promise.resolve({ revision: 2, count: 1, latest: 2 });
    registry.revision = () => Promise.resolve(2);
    await pass(pollMs * 2);
    expect(registry.count('list')).toBeGreaterThan(1);
  });

  test('asks for their number when the watch has told something since, but of many keys not each time', async () => {
    for (let n = 0; n < 5_000; n += 1) registry.put(`/backends/web/${String(n)}`, value);
    start();
    await until('the watch', () => registry.isWatched());
    await pass(pollMs);
    for (let n = 0; n < 24; n += 1) {
      registry.put('/backends/web/a', `10.0.0.1:${String(1_000 + n)}`);
      await pass(pollMs);
    }
    // 5,000 keys, 2 ms for each: every 10 s.
    expect(registry.count('countKeys')).toBeGreaterThanOrEqual(8);
    expect(registry.count('countKeys')).toBeLessThanOrEqual(14);
    expect(registry.count('list')).toBe(1);
  });

  test.each([
    [
      'a key more',
      () => {
        registry.put('/backends/web/b', value);
      },
      ['/backends/web/a', '/backends/web/b'],
    ],
    [
      'a key less',
      () => {
        registry.remove('/backends/web/a');
      },
      [],
    ],
    [
      'another value',
      () => {
        registry.put('/backends/web/a', `${value}&weight=2`);
      },
      ['/backends/web/a'],
    ],
  ])('that finds %s which the watch did not tell leads to a new list', async (_what, happens, keys) => {
    registry.put('/backends/web/a', value);
    const { source } = start();
    await until('the watch', () => registry.isWatched());
    registry.muted = true;
    happens();
    registry.muted = false;
    await until('the second list', () => registry.count('list') === 2);
    await until('the watch', () => registry.isWatched());
    expect(keysOf(source)).toEqual(keys);
    expect(source.entries().map((entry) => entry.value)).toEqual(
      [...registry.entries.values()].map((entry) => entry.value),
    );
  });

  test('gives the watch time to tell before it doubts it', async () => {
    registry.put('/backends/web/a', value);
    const { source } = start();
    await until('the watch', () => registry.isWatched());
    await pass(pollMs - 10);
    const tell = registry.put.bind(registry);
    registry.muted = true;
    tell('/backends/web/b', value);
    registry.muted = false;
    const before = registry.count('countKeys');
    await until('the first look', () => registry.count('countKeys') > before);
    await settle();
    // The event arrives late, with the key as it stands.
    tell('/backends/web/b', value);
    await pass(1_000);
    expect(registry.count('list')).toBe(1);
    expect(keysOf(source)).toEqual(['/backends/web/a', '/backends/web/b']);
  });

  test('believes a watch that tells something all the time, for a minute', async () => {
    registry.put('/backends/web/a', value);
    const { source } = start();
    await until('the watch', () => registry.isWatched());
    registry.muted = true;
    registry.put('/backends/web/lost', '10.0.0.9:1');
    registry.muted = false;
    const writing = setInterval(() => {
      registry.put('/backends/web/a', value);
    }, 100);
    await pass(11 * (pollMs + 600));
    expect(registry.count('list')).toBe(1);
    await pass(2 * (pollMs + 600));
    clearInterval(writing);
    expect(registry.count('list')).toBe(2);
    await until('the list', () => keysOf(source).includes('/backends/web/lost'));
  });

  test('that is not answered says nothing against the watch; from the second in a row it is told, and when they are answered again', async () => {
    registry.put('/backends/web/a', value);
    const { source, messages } = start();
    await until('the watch', () => registry.isWatched());
    registry.failOn('revision', 'countKeys', 'fingerprint');
    await pass(pollMs);
    expect(messages('warn')).toEqual([]);
    await pass(6 * pollMs);
    expect(messages('warn')).toEqual([expect.stringContaining('etcd does not answer polls')]);
    registry.put('/backends/web/b', value);
    expect([keysOf(source).length, source.isLive(), registry.count('list')]).toEqual([2, true, 1]);
    registry.recover();
    await pass(pollMs);
    expect(messages('info')).toEqual(['polls are answered again']);
    expect(registry.count('list')).toBe(1);
  });

  test('that etcd refuses to this user ends the watch', async () => {
    const { source, messages } = start();
    await until('the watch', () => registry.isWatched());
    registry.before = (call) => {
      if (call !== 'watch') throw new DeniedError('etcd lets nobody read');
    };
    await pass(2 * pollMs);
    expect([source.isLive(), messages('error')[0]]).toEqual([false, 'failed; trying again until it works']);
  });
});

describe('a watch that ends', () => {
  const keys = 1_000;

  async function followed(count = keys): Promise<ReturnType<typeof start>> {
    for (let n = 0; n < count; n += 1) registry.put(`/backends/web/${String(n)}`, value);
    const started = start();
    await until('the watch', () => registry.isWatched());
    return started;
  }

  test('is gone on with where it was, when there are many keys, without a listing', async () => {
    const { source, changes } = await followed();
    registry.breakWatch();
    await until('the end', () => !source.isLive());
    await until('the next', () => registry.isWatched());
    expect([registry.count('list'), source.isLive(), changes]).toEqual([1, true, ['listed', 'resumed']]);
    registry.put('/backends/web/new', value);
    expect(keysOf(source)).toContain('/backends/web/new');
  });

  test.each<[string, (source: CatalogSource) => unknown]>([
    ['etcd counts from an earlier revision', () => (registry.revision = () => Promise.resolve(7))],
    [
      'what it went on from is of no use',
      () => {
        registry.failOn('watch');
      },
    ],
    [
      'that lasted too long',
      () => {
        registry.failOn('revision', 'watch', 'list');
        return pass(60_000);
      },
    ],
  ])('is followed by a listing where %s', async (_what, happens) => {
    const { source } = await followed();
    registry.breakWatch();
    await until('the end', () => !source.isLive());
    await happens(source);
    await pass(2_000);
    registry.recover();
    await until('the next', () => registry.isWatched());
    expect(registry.count('list')).toBeGreaterThan(1);
  });

  test('is followed by a listing where there are few keys, or the poll had found that it did not tell everything', async () => {
    const { source } = await followed(keys - 1);
    registry.breakWatch();
    await until('the end', () => !source.isLive());
    await until('the next', () => registry.isWatched());
    expect(registry.count('list')).toBe(2);
    registry.put('/backends/web/last', value);
    registry.muted = true;
    registry.put('/backends/web/untold', value);
    registry.muted = false;
    await pass(4 * pollMs);
    await until('what it did not tell', () => keysOf(source).includes('/backends/web/untold'));
    expect(registry.count('list')).toBe(3);
  });
});

describe('a key that went', () => {
  const key = '/backends/web/a';
  let lease: string;

  beforeEach(async () => {
    lease = await registry.grantLease(15_000, controller.signal);
    registry.put(key, value, lease);
    registry.put('/backends/web/b', '10.0.0.2:80?port=8000', await registry.grantLease(15_000, controller.signal));
  });

  const standing = (source: CatalogSource): string[] =>
    source
      .catalog()
      .services.flatMap(({ endpoints }) => endpoints.map(({ id, stale }) => (stale ? `${id} stale` : id)));

  const watched = async (staleMs?: number): Promise<ReturnType<typeof start>> => {
    const started = start([], [], staleMs);
    await until('the watch', () => registry.isWatched());
    return started;
  };

  test('while its lease lives was withdrawn, and is gone at once', async () => {
    const { source } = await watched();
    registry.remove(key);
    await until('the verdict', () => standing(source).length === 1);
    expect(standing(source)).toEqual(['b']);
    expect(source.stale()).toEqual([]);
  });

  test('beside others of its lease was withdrawn, and etcd is not asked', async () => {
    const { source } = await watched();
    registry.put('/backends/web/c', '10.0.0.3:80?port=8000', lease);
    registry.failOn('leaseTime');
    registry.remove(key);
    await until('the verdict', () => standing(source).length === 2);
    expect(standing(source)).toEqual(['b', 'c']);
    expect(registry.calls).not.toContain('leaseTime');
  });

  test('with all others of its lease is stale with them', async () => {
    const { source } = await watched();
    registry.put('/backends/web/c', '10.0.0.3:80?port=8000', lease);
    registry.expire(lease);
    await until('the verdict', () => standing(source).includes('a stale'));
    expect(standing(source)).toEqual(['a stale', 'b', 'c stale']);
  });

  test('with its lease is kept as stale, for a while', async () => {
    const { source, messages } = await watched();
    registry.expire(lease);
    expect(standing(source)).toEqual(['a', 'b']);
    await until('the verdict', () => standing(source).includes('a stale'));
    expect(messages('warn')).toEqual([
      'registrations expired and were not withdrawn; kept as stale, and the health checks decide over them',
    ]);
    expect(keysOf(source)).toEqual(['/backends/web/b']);
    expect(source.stale()).toMatchObject([{ key, value, lease }]);
    await pass(599_000);
    expect(standing(source)).toEqual(['a stale', 'b']);
    await pass(3_000);
    expect(standing(source)).toEqual(['b']);
  });

  test('with its lease is gone at once where nothing is to be kept', async () => {
    const { source } = await watched(0);
    registry.expire(lease);
    expect(standing(source)).toEqual(['b']);
  });

  test('stays until etcd has said what became of the lease', async () => {
    const { source } = await watched();
    registry.failOn('leaseTime');
    registry.remove(key);
    await pass(30_000);
    expect(standing(source)).toEqual(['a', 'b']);
    registry.recover();
    await until('the verdict', () => standing(source).length === 1);
  });

  test('is gone at once when it had announced that it goes, whatever became of its lease', async () => {
    registry.put(key, `${value}&state=drain`, lease);
    const { source } = await watched();
    registry.expire(lease);
    expect(standing(source)).toEqual(['b']);
  });

  test('without a lease was deleted by hand, and is gone at once', async () => {
    registry.put('/backends/web/c', '10.0.0.3:80?port=8000');
    const { source } = await watched();
    registry.remove('/backends/web/c');
    expect(standing(source)).toEqual(['a', 'b']);
  });

  test('is as before when it is put again', async () => {
    const { source, messages } = await watched();
    registry.expire(lease);
    await until('the verdict', () => standing(source).includes('a stale'));
    registry.put(key, value, await registry.grantLease(15_000, controller.signal));
    expect(standing(source)).toEqual(['a', 'b']);
    await pass(700_000);
    expect(standing(source)).toEqual(['a', 'b']);
    expect(source.stale()).toEqual([]);
    expect(messages('warn')).toHaveLength(1);
  });

  test('gives way at once to another that claims its address', async () => {
    const { source } = await watched();
    registry.expire(lease);
    await until('the verdict', () => standing(source).includes('a stale'));
    registry.put('/backends/web/c', value, await registry.grantLease(15_000, controller.signal));
    expect(standing(source)).toEqual(['b', 'c']);
    expect(source.catalog().conflicting).toEqual([]);
    registry.remove('/backends/web/c');
    await until('the verdict', () => standing(source).length === 1);
    expect(standing(source)).toEqual(['b']);
  });

  test('never takes an address from one that stands', async () => {
    const older = await registry.grantLease(15_000, controller.signal);
    registry.put('/backends/web/c', value, older);
    const { source } = await watched();
    expect(standing(source)).toEqual(['b', 'c']);
    registry.expire(older);
    await until('the verdict', () => standing(source).join() === 'a,b');
    expect(source.stale()).toEqual([]);
  });

  test('is gone soon after its host is heard again without it', async () => {
    const { source } = await watched();
    registry.expire(lease);
    await until('the verdict', () => standing(source).includes('a stale'));
    registry.put('/backends/web/c', '10.0.0.1:81?port=8000', await registry.grantLease(15_000, controller.signal));
    expect(standing(source)).toEqual(['a stale', 'b', 'c']);
    await pass(6_000);
    // It counts from the first word, however much is said.
    registry.put('/backends/web/c', '10.0.0.1:82?port=8000', await registry.grantLease(15_000, controller.signal));
    expect(standing(source)).toEqual(['a stale', 'b', 'c']);
    await pass(3_000);
    expect(standing(source)).toEqual(['b', 'c']);
  });

  test('is found by a new list too, and asked about', async () => {
    const { source } = await watched();
    registry.muted = true;
    registry.expire(lease);
    registry.remove('/backends/web/b');
    registry.muted = false;
    registry.breakWatch();
    await until('the verdict', () => standing(source).join() === 'a stale');
  });

  test('is kept while etcd does not answer, however long, and a little longer', async () => {
    const { source } = await watched();
    registry.expire(lease);
    await until('the verdict', () => standing(source).includes('a stale'));
    registry.failOn('list', 'countKeys', 'fingerprint', 'watch');
    registry.breakWatch();
    await pass(3_600_000);
    expect(standing(source)).toEqual(['a stale', 'b']);
    registry.recover();
    await until('the list', () => source.isLive());
    await pass(10_000);
    expect(standing(source)).toEqual(['a stale', 'b']);
    await pass(10_000);
    expect(standing(source)).toEqual(['b']);
  });

  test.each([3_600_000, -3_600_000])(
    'is kept for its time whatever the clock of the machine does: %d ms',
    async (ms) => {
      const { source } = await watched();
      registry.expire(lease);
      await until('the verdict', () => standing(source).includes('a stale'));
      vi.setSystemTime(Date.now() + ms);
      await pass(590_000);
      expect(standing(source)).toEqual(['a stale', 'b']);
      await pass(12_000);
      expect(standing(source)).toEqual(['b']);
    },
  );

  test('with all others because etcd has lost its data is kept, also without a lease', async () => {
    registry.put('/backends/web/c', '10.0.0.3:80?port=8000');
    const { source, messages } = await watched();
    registry.loseData();
    registry.breakWatch();
    await until('the verdict', () => standing(source).join() === 'a stale,b stale,c stale');
    expect(messages('warn')[0]).toBe('etcd has lost its data: it counts from an earlier revision');
  });

  test('is still kept after a restart, for what is left of its time', async () => {
    registry.remove(key);
    const entry = { key, value, createRevision: 1, lease: 'gone', sinceMs: steadyNowMs() - 590_000 };
    const { source } = start([], [entry]);
    expect(standing(source)).toEqual(['a stale']);
    await until('the watch', () => registry.isWatched());
    expect(standing(source)).toEqual(['a stale', 'b']);
    await pass(17_000);
    expect(standing(source)).toEqual(['b']);
  });

  test('just before a restart is asked about after it', async () => {
    registry.remove(key);
    const entry = { key, value, createRevision: 1, lease, sinceMs: steadyNowMs() };
    const { source } = start([], [entry]);
    expect(standing(source)).toEqual(['a stale']);
    await until('the verdict', () => standing(source).join() === 'b');
  });
});

test('ends when it is cancelled, and its watch and poll with it', async () => {
  const { source, run } = start();
  await until('the watch', () => registry.isWatched());
  controller.abort();
  await run.catch((error: unknown) => {
    expect(error).toMatchObject({ name: 'AbortError' });
  });
  expect(registry.isWatched()).toBe(false);
  expect(source.isLive()).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

describe('where only signed registrations are used', () => {
  const key = `${prefix}/whoami/a`;
  const of = (host: string, id: string, name: string): LeasedEntry =>
    signed(entryWith({ id, address: { host, port: 80 } }), name);
  const both = [of('10.0.0.1', 'a', 'a'), of('10.0.0.2', 'b', 'b')];
  const served = (source: CatalogSource): string[] =>
    source.catalog().services.flatMap(({ endpoints }) => endpoints.map(({ id }) => id));
  const rejected = (source: CatalogSource): string[] => source.catalog().rejected.map(({ key: of }) => of);
  let trust: Trust;
  let verified: number;
  const trusting = (where: Record<string, string>): void => {
    const real = trustIn(where);
    trust = { ...real, verify: (...args) => ((verified += 1), real.verify(...args)) };
  };
  beforeEach(() => {
    verified = 0;
    trusting({ a: '10.0.0.1' });
  });

  test('what is read from disk is judged too', async () => {
    registry.failOn('list');
    const stale = both.map((entry) => ({ ...entry, key: `${entry.key}2`, sinceMs: 0 }));
    const { source } = start(both, stale, 600_000, { trust: () => trust });
    await settle();
    expect([served(source), source.stale(), rejected(source)]).toEqual([['a'], [], [`${prefix}/whoami/b`]]);
  });

  test('what etcd says is judged, and what it says again is not', async () => {
    for (const { key: at, value: text } of both) registry.put(at, text, '0');
    const { source } = start([...registry.entries.values()], [], 600_000, { trust: () => trust });
    await until('the watch', () => registry.isWatched());
    expect(served(source)).toEqual(['a']);
    registry.put(key, both[0]?.value ?? '', '0');
    expect([served(source), verified]).toEqual([['a'], 1]);
    registry.put(key, entryWith({ id: 'a', address: { host: '10.0.0.1', port: 80 } }).value, '0');
    expect([served(source), rejected(source).length]).toEqual([[], 2]);
  });

  test('another list counts at once, for what is known already', async () => {
    for (const { key: at, value: text } of both) registry.put(at, text, '0');
    const { source } = start([], [], 600_000, { trust: () => trust });
    await until('the watch', () => registry.isWatched());
    trusting({ a: '10.0.0.1', b: '10.0.0.2' });
    expect([served(source), rejected(source)]).toEqual([['a', 'b'], []]);
    expect(verified).toBe(2);
    trusting({ b: '10.0.0.2' });
    expect([served(source), rejected(source)]).toEqual([['b'], [key]]);
    expect(source.entries().map(({ key: at }) => at)).toEqual([`${prefix}/whoami/b`]);
  });

  test('one that went is kept as stale only while its signer is in the list, and one that was rejected not at all', async () => {
    const lease = await registry.grantLease(15_000, controller.signal);
    for (const { key: at, value: text } of both) registry.put(at, text, lease);
    const { source } = start([], [], 600_000, { trust: () => trust });
    await until('the watch', () => registry.isWatched());
    registry.expire(lease);
    await until('the verdict', () => source.catalog().services[0]?.endpoints[0]?.stale === true);
    expect([served(source), rejected(source)]).toEqual([['a'], []]);
    trusting({ b: '10.0.0.2' });
    expect([served(source), source.stale(), rejected(source)]).toEqual([[], [], []]);
  });
});

describe('more keys than the limits', () => {
  const limits = { ...defaultLimits, keysPerLease: 2 };
  const putMany = (lease: string, names: string): void => {
    for (const name of names) registry.put(`/backends/web/${name}`, `10.0.0.${String(name.charCodeAt(0))}:80`, lease);
  };
  const ids = (source: CatalogSource): string =>
    source
      .catalog()
      .services.flatMap(({ endpoints }) => endpoints.map(({ id }) => id))
      .join('');

  test('of a lease are left out, as the listing tells and as the watch tells', async () => {
    putMany('7', 'cba');
    const { source } = start([], [], 0, { limits });
    await until('the watch', () => registry.isWatched());
    expect([ids(source), source.leftOutCounts()]).toEqual(['bc', { keys: 0, keysPerLease: 1 }]);
    putMany('7', 'de');
    putMany('8', 'xy');
    expect([ids(source), source.leftOutCounts()]).toEqual(['bcxy', { keys: 0, keysPerLease: 3 }]);
    expect(keysOf(source)).toHaveLength(4);
  });

  test('lead to no round, and to no listing by the poll', async () => {
    const { source, changes } = start([], [], 0, { limits });
    await until('the watch', () => registry.isWatched());
    putMany('7', 'abcdef');
    expect(changes).toEqual(['listed', 'watch', 'watch']);
    // One that is left out is altered, and one is deleted.
    putMany('7', 'f');
    await pass(10 * pollMs);
    expect([changes.length, registry.count('list'), ids(source)]).toEqual([3, 1, 'ab']);
  });

  test('come in when there is room, after a while', async () => {
    const { source } = start([], [], 0, { limits });
    await until('the watch', () => registry.isWatched());
    putMany('7', 'abcd');
    registry.remove('/backends/web/a');
    expect(ids(source)).toBe('b');
    await pass(25_000);
    expect([ids(source), source.isLive(), registry.count('list')]).toEqual(['bc', true, 2]);
    putMany('7', 'e');
    expect(source.leftOutCounts().keysPerLease).toBe(2);
  });

  test('wait for an etcd that does not answer whether it has time, and the watch goes on', async () => {
    const { source, changes } = start([], [], 0, { limits });
    await until('the watch', () => registry.isWatched());
    putMany('7', 'abcd');
    registry.remove('/backends/web/a');
    isSilent(1_000);
    await pass(60_000);
    expect([ids(source), source.isLive(), registry.count('list')]).toEqual(['b', true, 1]);
    expect(changes).not.toContain('resumed');
    registry.recover();
    await pass(10_000);
    expect([ids(source), registry.count('list')]).toEqual(['bc', 2]);
  });

  test('are forgotten with their lease at once', async () => {
    const { source } = start([], [], 0, { limits });
    await until('the watch', () => registry.isWatched());
    putMany('8', 'x');
    putMany('7', 'abcdef');
    expect(source.leftOut()).toHaveLength(1);
    registry.expire('7');
    expect([ids(source), source.leftOut(), source.leftOutCounts()]).toEqual(['x', [], { keys: 0, keysPerLease: 0 }]);
  });

  test('go from the pool when a listing leaves them out that stood before, and are not stale', async () => {
    const old = ['a', 'b', 'c'].map((id, n) =>
      entryWith({ id, address: { host: `10.0.0.${String(n + 1)}`, port: 80 } }),
    );
    for (const { key, value } of [...old].reverse()) registry.put(key, value, '7');
    const { source } = start(old.slice(0, 2), [], 600_000, { limits });
    await until('the list', () => source.isLive());
    await pass(10_000);
    expect([ids(source), source.stale()]).toEqual(['bc', []]);
  });

  test('of stale keys keep the oldest', async () => {
    const { source } = start([], [], 600_000, { limits: { ...defaultLimits, keys: 3 } });
    registry.leases.add('1');
    await until('the watch', () => registry.isWatched());
    putMany('1', 'ab');
    registry.expire('1');
    await pass(3_000);
    for (const lease of ['2', '3', '4']) {
      putMany(lease, 'cd');
      registry.expire(lease);
      await pass(3_000);
    }
    expect(source.stale().map(({ key }) => key.slice(-1))).toEqual(['a', 'b', 'c']);
  });
});
