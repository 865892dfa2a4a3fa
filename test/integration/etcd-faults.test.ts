import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { follow } from './support/following.js';

let etcd: TestEtcd;
const signal = new AbortController().signal;
/** As good as never: a source has nothing but its watch to follow by. */
const pollMs = 3_600_000;
afterEach(() => etcd.dispose());

const put = async (id: string, address: string): Promise<void> => {
  await etcd.client.put(`/backends/web/${id}`).value(address);
};

describe('etcd', () => {
  beforeEach(async () => {
    etcd = await startEtcd();
  });

  it('that comes back with nothing, and counts its revisions anew, is followed from there', async () => {
    for (let n = 0; n < 20; n += 1) await put('a', `10.0.0.1:${String(100 + n)}`);
    const { standing, stop } = follow(etcd, pollMs);
    try {
      await waitFor('the first listing', () => standing().includes('10.0.0.1:119'));
      await etcd.forget();
      await etcd.start();
      await waitFor('the loss of all', (seen) => seen(standing()).length === 0);
      await put('b', '10.0.0.2:80');
      await waitFor('the new key', (seen) => seen(standing()).join() === '10.0.0.2:80');
    } finally {
      await stop();
    }
  });

  it('that has not counted as far as a watch asks for refuses it, instead of keeping silent until then', async () => {
    await expect(etcd.registry.watch(1_000, () => undefined, signal)).rejects.toThrow(
      /this member is at revision \d+, before the listing \(1000\)/,
    );
  });

  it('that compacted while it was away is listed anew', async () => {
    await put('a', '10.0.0.1:80');
    const { source, standing, stop } = follow(etcd, pollMs);
    try {
      await waitFor('the first listing', () => standing().length === 1);
      etcd.signal('SIGSTOP');
      await waitFor('the silence to be noticed', () => !source.isLive(), { timeoutMs: 10_000 });
      etcd.signal('SIGCONT');
      for (let n = 0; n < 5; n += 1) await put('a', `10.0.0.1:${String(81 + n)}`);
      const { revision } = await etcd.registry.list(signal);
      await etcd.client.kv.compact({ revision, physical: true });
      await put('b', '10.0.0.2:80');
      await waitFor('all changes', (seen) => seen(standing().sort()).join() === '10.0.0.1:85,10.0.0.2:80');
    } finally {
      etcd.signal('SIGCONT');
      await stop();
    }
  });
});
