import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Registry } from '../../src/ports/registry.js';
import { waitFor } from '../lab/wait-for.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { follow, type Follower } from './support/following.js';

/** As good as never: nothing but the watch tells. */
const never = 3_600_000;
const keys = 1_200;

let etcd: TestEtcd;
let follower: Follower;
let listings: number;

const put = async (id: string, address: string): Promise<void> => {
  await etcd.client.put(`/backends/web/${id}`).value(address);
};
const stands = (address: string): Promise<unknown> =>
  waitFor(address, () => follower.standing().includes(address), { timeoutMs: 20_000 });

beforeEach(async () => {
  etcd = await startEtcd();
  const puts = Array.from({ length: keys }, (_, n) => ({
    key: `/backends/web/${String(n)}`,
    value: `10.1.${String(n >> 8)}.${String(n & 255)}:80`,
  }));
  await etcd.registry.apply({ puts, deletes: [] }, '0', AbortSignal.timeout(10_000));
  listings = 0;
  const registry: Registry = {
    ...etcd.registry,
    pages(signal) {
      listings += 1;
      return etcd.registry.pages(signal);
    },
  };
  follower = follow({ registry }, never);
  await waitFor('the watch', () => follower.source.isLive());
});
afterEach(async () => {
  etcd.signal('SIGCONT');
  await follower.stop();
  await etcd.dispose();
});

it('of many keys, a watch that ended goes on where it was, and is told what changed meanwhile, without another listing', async () => {
  await put('before', '10.0.0.1:80');
  await stands('10.0.0.1:80');
  await etcd.kill();
  await waitFor('the end of the watch', () => !follower.source.isLive());
  await etcd.start();
  await put('meanwhile', '10.0.0.2:80');
  await etcd.client.delete().key('/backends/web/before');
  await stands('10.0.0.2:80');
  await waitFor('the key to go', () => !follower.standing().includes('10.0.0.1:80'));
  expect(follower.source.isLive()).toBe(true);
  expect([follower.standing().length, listings]).toEqual([keys + 1, 1]);
});

it('is followed by a listing where etcd has lost its data', async () => {
  await etcd.forget();
  await waitFor('the end of the watch', () => !follower.source.isLive());
  await etcd.start();
  await put('new', '10.0.0.3:80');
  await waitFor('the new key alone', () => follower.standing().join() === '10.0.0.3:80', { timeoutMs: 20_000 });
  expect(listings).toBe(2);
});

it('is followed by a listing where it was away for longer than a moment', async () => {
  etcd.signal('SIGSTOP');
  await waitFor('the end of the watch', () => !follower.source.isLive(), { timeoutMs: 20_000 });
  const since = performance.now();
  // What was asked within half a minute may be answered later.
  await waitFor('that time', () => performance.now() - since > 37_000, { timeoutMs: 60_000, intervalMs: 500 });
  etcd.signal('SIGCONT');
  await waitFor('the watch', () => follower.source.isLive(), { timeoutMs: 20_000 });
  expect(listings).toBeGreaterThan(1);
}, 120_000);
