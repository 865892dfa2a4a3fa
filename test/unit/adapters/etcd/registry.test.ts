import type { Etcd3 } from 'etcd3';
import { expect, test } from 'vitest';
import type { Call, EtcdClient } from '../../../../src/adapters/etcd/client.js';
import { createRegistry } from '../../../../src/adapters/etcd/registry.js';

test('a page of a listing has more time than a small question, which finds a member that lives, and is asked of one', async () => {
  const limits: (readonly [number | undefined, number | undefined])[] = [];
  const page = { header: { revision: '7' }, kvs: [], more: false };
  const etcd = { kv: { range: () => Promise.resolve(page) } } as unknown as Etcd3;
  const client = {
    call<T>({ ask, timeoutMs, patienceMs }: Call<T>): Promise<T> {
      limits.push([timeoutMs, patienceMs]);
      return ask(etcd, { deadline: 0, interceptors: [] });
    },
  } as EtcdClient;
  const { revision } = await createRegistry({ client, hosts: [], keyspace: '/backends/' }).list(
    AbortSignal.timeout(1_000),
  );
  expect(revision).toBe(7);
  expect(limits).toEqual([
    [undefined, undefined],
    [30_000, 10_000],
  ]);
});
