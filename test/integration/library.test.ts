import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encode, watchCatalog, type Catalog, type WatchOptions } from '../../src/library/index.js';
import { waitFor } from '../lab/wait-for.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { createTestLog, type TestLog } from './support/log.js';

let etcd: TestEtcd;
beforeAll(async () => {
  etcd = await startEtcd();
}, 120_000);
afterAll(() => etcd.dispose());

const [a, b] = ['10.0.0.1:80?port=8000', '10.0.0.2:80?port=8000'];
let log: TestLog;
let end: AbortController;
beforeEach(async () => {
  await etcd.client.delete().prefix('/backends/');
  log = createTestLog();
  end = new AbortController();
});
afterEach(() => {
  end.abort();
});

/** Follows in the background. */
function follow(more: Partial<WatchOptions> = {}): { catalogs: Catalog[]; newest: () => string; ended: Promise<void> } {
  const catalogs: Catalog[] = [];
  const loop = async (): Promise<void> => {
    const options = { etcdHosts: [etcd.host], signal: end.signal, logger: log.log, ...more };
    for await (const catalog of watchCatalog(options)) catalogs.push(catalog);
  };
  return { catalogs, newest: () => summaryOf(catalogs.at(-1)), ended: loop() };
}

/** `shop: a b(stale)`, the services with their endpoints, and what is in none. */
function summaryOf(catalog: Catalog | undefined): string {
  if (catalog === undefined) return 'none yet';
  const services = catalog.services.map(
    ({ name, endpoints }) =>
      `${name}: ${endpoints.map(({ id, state, stale }) => `${id}${state === 'drain' ? '(drain)' : ''}${stale ? '(stale)' : ''}`).join(' ')}`,
  );
  return [...services, ...catalog.problems.map(({ key, reason }) => `${key}: ${reason}`)].join('; ');
}

async function put(key: string, value: string): Promise<void> {
  await etcd.client.put(key).value(value);
}

describe('watchCatalog', () => {
  it('gives what stands there, also where that is nothing, and each change', async () => {
    const { catalogs, newest } = follow();
    await waitFor('the first', () => catalogs.length === 1);
    expect(catalogs).toEqual([{ services: [], problems: [] }]);
    await put('/backends/shop/a', a);
    await waitFor('a', () => newest() === 'shop: a');
    expect(catalogs.at(-1)?.services[0]?.endpoints[0]).toMatchObject({
      key: '/backends/shop/a',
      address: { host: '10.0.0.1', port: 80 },
      servicePort: 8000,
      stale: false,
      others: {},
    });
    await put('/backends/shop/b', b);
    await waitFor('both', () => newest() === 'shop: a b');
    await put('/backends/drain:/a', 'by hand');
    await waitFor('the drain', () => newest() === 'shop: a(drain) b');
    await put('/backends/shop/c', 'nonsense');
    await waitFor('the problem', () => newest().startsWith('shop: a(drain) b; /backends/shop/c: "nonsense" is not'));
    await etcd.client.delete().key('/backends/shop/c');
    await etcd.client.delete().key('/backends/shop/a');
    await waitFor('only b', () => newest() === 'shop: b');
  });

  it('takes what encode writes, under the prefix that it is told', async () => {
    const { key, value } = encode(
      { service: 'db', id: 'primary', address: { host: '2001:db8::7', port: 5432 }, tags: ['x'] },
      { prefix: '/other' },
    );
    await put(key, value);
    const { catalogs, newest } = follow({ prefix: '/other' });
    await waitFor('it', () => newest() === 'db: primary');
    expect(catalogs[0]?.services[0]?.endpoints[0]).toMatchObject({
      address: { host: '2001:db8::7', port: 5432 },
      tags: ['x'],
    });
    await etcd.client.delete().prefix('/other/');
  });

  it('a service that nothing touched is the same object as before, and a look that finds nothing new is no catalog', async () => {
    await put('/backends/shop/a', a);
    const { catalogs, newest } = follow();
    await waitFor('a', () => newest() === 'shop: a');
    await put('/backends/web/b', b);
    await waitFor('web', () => newest() === 'shop: a; web: b');
    expect(catalogs).toHaveLength(2);
    expect(catalogs[1]?.services[0]).toBe(catalogs[0]?.services[0]);
  });

  it('while etcd is away the last catalog holds; it goes on when etcd is back, and tells the logger', async () => {
    await put('/backends/shop/a', a);
    const { catalogs, newest } = follow();
    await waitFor('a', () => newest() === 'shop: a');
    await etcd.kill();
    await waitFor('the line', () => log.has('failed; trying again until it works'));
    expect(catalogs).toHaveLength(1);
    await etcd.start();
    await put('/backends/shop/b', b);
    await waitFor('both', () => newest() === 'shop: a b');
    expect(catalogs).toHaveLength(2);
    expect(log.has('works again')).toBe(true);
  });

  it('of an etcd that is not there at first, nothing is given until it answers', async () => {
    await etcd.kill();
    const { catalogs, newest } = follow();
    await waitFor('the line', () => log.has('failed; trying again until it works'));
    expect(catalogs).toEqual([]);
    await etcd.start();
    await put('/backends/shop/a', a);
    await waitFor('a', () => newest() === 'shop: a');
  });

  it('an endpoint whose lease ended is gone, or stale for a while where that is asked for', async () => {
    const lease = await etcd.registry.grantLease(60_000, end.signal);
    await etcd.registry.apply({ puts: [{ key: '/backends/shop/a', value: a }], deletes: [] }, lease, end.signal);
    const plain = follow();
    const patient = follow({ staleMs: 60_000 });
    await waitFor('a', () => plain.newest() === 'shop: a' && patient.newest() === 'shop: a');
    await etcd.registry.revoke(lease, end.signal);
    await waitFor('it to be gone', () => plain.newest() === '');
    await waitFor('it to be stale', () => patient.newest() === 'shop: a(stale)');
  });

  it('who is slow gets the newest, not those between', async () => {
    const iterator = watchCatalog({ etcdHosts: [etcd.host], signal: end.signal })[Symbol.asyncIterator]();
    expect(summaryOf((await iterator.next()).value as Catalog)).toBe('');
    const other = follow();
    await put('/backends/shop/a', a);
    await put('/backends/shop/b', b);
    await put('/backends/shop/c', '10.0.0.3:80');
    await waitFor('another to have heard', () => other.newest() === 'shop: a b c');
    await put('/backends/web/d', '10.0.0.4:80');
    await waitFor('another to have heard', () => other.newest() === 'shop: a b c; web: d');
    const { value } = (await iterator.next()) as { value: Catalog };
    expect(summaryOf(value)).toMatch(/^shop: a b c/);
  });

  it('ends without an error when the signal fires, for whatever reason, and where it had fired before', async () => {
    await put('/backends/shop/a', a);
    const { ended, newest, catalogs } = follow();
    await waitFor('a', () => newest() === 'shop: a');
    end.abort(new Error('enough'));
    await ended;
    await put('/backends/shop/b', b);
    expect(catalogs).toHaveLength(1);
    await follow().ended;
  });

  it('ends where it waits for an etcd that is not there', async () => {
    const { ended } = follow({ etcdHosts: ['127.0.0.1:1'] });
    await waitFor('the line', () => log.has('failed; trying again until it works'));
    end.abort();
    await ended;
  });

  it('a break ends it, and another loop begins anew', async () => {
    await put('/backends/shop/a', a);
    const catalogs = watchCatalog({ etcdHosts: [etcd.host] });
    for (let times = 0; times < 2; times += 1) {
      const seen: string[] = [];
      for await (const catalog of catalogs) {
        seen.push(summaryOf(catalog));
        break;
      }
      expect(seen).toEqual(['shop: a']);
    }
  });
});
