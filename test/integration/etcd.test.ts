import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WatchEvent } from '../../src/ports/registry.js';
import { LeaseLostError } from '../../src/ports/registry.js';
import { waitFor } from '../lab/wait-for.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { follow } from './support/following.js';

let etcd: TestEtcd;
const signal = new AbortController().signal;

beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.dispose());
beforeEach(async () => {
  await etcd.client.delete().prefix('/backends');
});

function putsOf(count: number): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, n) => ({
    key: `/backends/web/${n.toString(16).padStart(12, '0')}`,
    value: `10.0.0.1:${String(10_000 + n)}?port=80`,
  }));
}

describe('lease', () => {
  it('carries the keys, is kept alive, and takes them along when it is revoked', async () => {
    const { registry } = etcd;
    const lease = await registry.grantLease(15_000, signal);
    await registry.apply({ puts: putsOf(1), deletes: [] }, lease, signal);
    expect((await registry.list(signal)).entries[0]).toMatchObject({ value: '10.0.0.1:10000?port=80', lease });
    expect(await registry.keepAlive(lease, signal)).toBe('alive');
    expect((await registry.leaseTime(lease, signal))?.remainingMs).toBeGreaterThan(10_000);
    expect(await registry.livingLeases(0, signal)).toContain(lease);
    expect(await registry.livingLeases((await registry.revision(signal)) + 1, signal)).toBeNull();
    await registry.revoke(lease, signal);
    expect((await registry.list(signal)).entries).toEqual([]);
    expect(await registry.keepAlive(lease, signal)).toBe('lost');
    expect(await registry.leaseTime(lease, signal)).toBeNull();
    expect(await registry.livingLeases(0, signal)).not.toContain(lease);
  });

  it('that is gone is told by a put under it', async () => {
    const lease = await etcd.registry.grantLease(15_000, signal);
    await etcd.registry.revoke(lease, signal);
    const lost = new LeaseLostError(lease);
    expect(lost.message).toMatch(/^etcd no longer knows lease [0-9a-f]{16}$/);
    await expect(etcd.registry.apply({ puts: putsOf(1), deletes: [] }, lease, signal)).rejects.toThrow(lost);
  });

  it('revoked twice is no failure', async () => {
    const lease = await etcd.registry.grantLease(15_000, signal);
    await etcd.registry.revoke(lease, signal);
    await expect(etcd.registry.revoke(lease, signal)).resolves.toBeUndefined();
  });
});

it('puts and deletes more keys than a transaction takes', async () => {
  const lease = await etcd.registry.grantLease(15_000, signal);
  const puts = putsOf(300);
  await etcd.registry.apply({ puts, deletes: [] }, lease, signal);
  expect((await etcd.registry.list(signal)).entries).toHaveLength(300);
  await etcd.registry.apply({ puts: [], deletes: puts.map(({ key }) => key) }, lease, signal);
  expect((await etcd.registry.list(signal)).entries).toEqual([]);
});

it('tells nothing of keys that only start like the prefix', async () => {
  await etcd.client.put('/backends-2/web/a').value('10.0.0.1:80');
  expect((await etcd.registry.list(signal)).entries).toEqual([]);
});

it('keeps the create revision of a key that is put again', async () => {
  await etcd.client.put('/backends/web/a').value('10.0.0.1:80');
  const [before] = (await etcd.registry.list(signal)).entries;
  await etcd.client.put('/backends/web/a').value('10.0.0.1:81');
  const [after] = (await etcd.registry.list(signal)).entries;
  expect(after?.createRevision).toBe(before?.createRevision);
  expect(after?.modRevision).toBeGreaterThan(before?.modRevision ?? Infinity);
});

it('tells at once, and at one revision, of all keys that go with their lease', async () => {
  const lease = await etcd.registry.grantLease(10_000, signal);
  await etcd.registry.apply({ puts: putsOf(2_000), deletes: [] }, lease, signal);
  const { revision } = await etcd.registry.list(signal);
  const batches: number[] = [];
  const end = new AbortController();
  const watching = etcd.registry.watch(revision, (batch) => batches.push(batch.length), end.signal);
  await waitFor('the lease to end', () => batches.length > 0);
  expect(batches).toEqual([2_000]);
  expect((await etcd.registry.list(signal)).revision).toBe(revision + 1);
  end.abort();
  await watching.catch(() => undefined);
});

describe('what is our own', () => {
  const keys = Array.from({ length: 300 }, (_, n) => `/backends/web/${String(n)}`);

  it('is what hangs on our lease, and what stands under given keys, and nothing else', async () => {
    const lease = await etcd.registry.grantLease(60_000, signal);
    const puts = keys.map((key, n) => ({ key, value: `10.0.0.1:${String(n + 1)}` }));
    await etcd.registry.apply({ puts, deletes: [] }, lease, signal);
    await etcd.client.put('/backends/web/of-another').value('10.0.0.2:1');
    await etcd.client.put('/backends/web/of-nobody').value('10.0.0.3:1');
    const asked = ['/backends/web/of-another', '/backends/web/none', keys[0] ?? ''];
    const entries = await etcd.registry.listOwn(lease, asked, signal);
    expect(entries.map(({ key }) => key).sort()).toEqual([...keys, '/backends/web/of-another'].sort());
    expect(entries.find(({ key }) => key === keys[7])).toMatchObject({ value: '10.0.0.1:8', lease });
    await etcd.registry.revoke(lease, signal);
    expect((await etcd.registry.listOwn(lease, asked, signal)).map(({ key }) => key)).toEqual([asked[0]]);
  });
});

describe('fingerprint', () => {
  it('changes with a put, with a delete, and not with keys elsewhere', async () => {
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      const { count, latest } = await etcd.registry.fingerprint(signal);
      expect(await etcd.registry.countKeys(signal)).toBe(count);
      expect(await etcd.registry.revision(signal)).toBe((await etcd.registry.list(signal)).revision);
      seen.push(`${String(count)} ${String(latest)}`);
    };
    await etcd.client.put('/backends/web/a').value('10.0.0.1:80');
    await look();
    await etcd.client.put('/elsewhere').value('x');
    await look();
    await etcd.client.put('/backends/web/b').value('10.0.0.1:81');
    await look();
    await etcd.client.delete().key('/backends/web/a');
    await look();
    expect(seen[1]).toBe(seen[0]);
    expect(new Set(seen).size).toBe(3);
  });
});

describe('watch', () => {
  it('that has fallen behind is told in parts, each with the revision up to which it has told everything', async () => {
    const { revision } = await etcd.registry.list(signal);
    const keys = Array.from({ length: 2_500 }, (_, n) => `/backends/web/${String(n)}`);
    for (let n = 0; n < keys.length; n += 50)
      await Promise.all(keys.slice(n, n + 50).map((key) => etcd.client.put(key).value('10.0.0.1:80')));
    const controller = new AbortController();
    const parts: { count: number; last: number; revision: number }[] = [];
    const watching = etcd.registry.watch(
      revision,
      (events, told) => {
        const revisions = events.map((event) => (event.kind === 'put' ? event.entry.modRevision : 0));
        parts.push({ count: events.length, last: Math.max(...revisions), revision: told });
      },
      controller.signal,
    );
    await waitFor('all of them', () => parts.reduce((sum, { count }) => sum + count, 0) === keys.length);
    controller.abort();
    await watching;
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map(({ revision: told }) => told)).toEqual(parts.map(({ last }) => last));
  });

  it('tells every change after its revision, in order', async () => {
    const { revision } = await etcd.registry.list(signal);
    await etcd.client.put('/backends/web/a').value('10.0.0.1:80');
    await etcd.client.put('/backends/web/a').value('10.0.0.1:81');
    await etcd.client.delete().key('/backends/web/a');
    const events: WatchEvent[] = [];
    const controller = new AbortController();
    const watching = etcd.registry.watch(revision, (batch) => events.push(...batch), controller.signal);
    await waitFor('three events', (seen) => seen(events).length === 3);
    controller.abort();
    await watching;
    expect(events.map((event) => (event.kind === 'put' ? event.entry.value : `deleted ${event.key}`))).toEqual([
      '10.0.0.1:80',
      '10.0.0.1:81',
      'deleted /backends/web/a',
    ]);
  });

  it('ends where it is ended while its stream is being opened', async () => {
    const { revision } = await etcd.registry.list(signal);
    const end = new AbortController();
    const watch = etcd.registry.watch(revision, () => undefined, end.signal);
    end.abort();
    await watch;
  });

  it('fails where its revision was compacted', async () => {
    await etcd.client.put('/backends/web/a').value('10.0.0.1:80');
    const { revision } = await etcd.registry.list(signal);
    for (let n = 0; n < 5; n += 1) await etcd.client.put('/backends/web/a').value(`10.0.0.1:${String(90 + n)}`);
    await etcd.client.kv.compact({ revision: revision + 4 });
    await expect(etcd.registry.watch(revision, () => undefined, signal)).rejects.toThrow(/compacted/);
  });

  it('fails when etcd dies', async () => {
    const { revision } = await etcd.registry.list(signal);
    const watching = etcd.registry.watch(revision, () => undefined, signal);
    const failed = expect(watching).rejects.toThrow(/did not keep the watch/);
    await etcd.client.put('/backends/web/a').value('10.0.0.1:80');
    await etcd.kill();
    await failed;
    await etcd.start();
  });
});

describe('catalog source', () => {
  it('follows etcd over a crash and a restart, and keeps what it knew in between', async () => {
    await etcd.client.put('/backends/web/a').value('10.0.0.1:80');
    const { source, addresses, stop } = follow(etcd, 60_000);
    try {
      await waitFor('the first listing', () => addresses().length === 1);
      await etcd.kill();
      await waitFor('the loss to be noticed', () => !source.isLive());
      expect(addresses()).toEqual(['10.0.0.1:80']);
      await etcd.start();
      await etcd.client.put('/backends/web/b').value('10.0.0.2:80');
      await waitFor('the new key', (seen) => seen(addresses()).length === 2);
      await etcd.client.delete().key('/backends/web/a');
      await waitFor('the delete', (seen) => seen(addresses()).length === 1);
      expect(addresses()).toEqual(['10.0.0.2:80']);
    } finally {
      await stop();
    }
  });

  it('finds an etcd that is stopped without a word, and comes back with it', async () => {
    const { source, addresses, stop } = follow(etcd, 500);
    try {
      await waitFor('the first listing', () => source.isLive());
      etcd.signal('SIGSTOP');
      await waitFor('the silence to be noticed', () => !source.isLive(), { timeoutMs: 10_000 });
      etcd.signal('SIGCONT');
      await etcd.client.put('/backends/web/c').value('10.0.0.3:80');
      await waitFor('the new key', (seen) => seen(addresses()).length === 1);
    } finally {
      etcd.signal('SIGCONT');
      await stop();
    }
  });
});
