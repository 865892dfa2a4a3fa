import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordOf, staleRecordOf, type Catalog, type Entry } from '../../../src/core/catalog.js';
import { catalogOf, createCatalogIndex } from '../../../src/core/catalog-index.js';
import { drainKeyOf } from '../../../src/core/keyspace.js';
import { anyEntries } from '../support/arbitraries.js';
import { catalogWith, entryAt, entryWith, prefix } from '../support/registrations.js';

test('gathers the endpoints of a service, services and endpoints sorted', () => {
  const { services, rejected, conflicting } = catalogWith([
    entryAt('web', 80, 'b'),
    entryAt('api', 8080, 'z'),
    entryAt('web', 80, 'a'),
  ]);
  expect(services.map(({ name, endpoints }) => [name, endpoints.map(({ id }) => id)])).toEqual([
    ['api', ['z']],
    ['web', ['a', 'b']],
  ]);
  expect([rejected, conflicting]).toEqual([[], []]);
});

test('rejects a key alone, with its reason, and leaves the others', () => {
  const { services, rejected } = catalogWith([
    { key: '/backends/web/bad', value: 'nonsense', createRevision: 1 },
    { key: '/backends/web', value: '10.0.0.1:80', createRevision: 2 },
    entryAt('web', 80, 'good'),
  ]);
  expect(services.flatMap(({ endpoints }) => endpoints.map(({ id }) => id))).toEqual(['good']);
  expect(rejected).toEqual([
    { key: '/backends/web', reason: '"/backends/web" is not a key of the form /backends/<service>/<id>' },
    { key: '/backends/web/bad', reason: '"nonsense" is not an address: ip:port or [ipv6]:port' },
  ]);
});

describe('an address that is claimed twice', () => {
  test('goes to the newest claim, and the other is reported', () => {
    const { services, conflicting } = catalogWith([
      entryWith({ service: 'new', id: 'x' }, 9),
      entryWith({ service: 'old', id: 'y' }, 3),
    ]);
    expect(services.map(({ name }) => name)).toEqual(['new']);
    expect(conflicting).toEqual([
      { key: '/backends/old/y', reason: '10.170.71.226:49153 is claimed by the newer /backends/new/x' },
    ]);
  });

  test('in one transaction goes to the key that sorts last', () => {
    const { services } = catalogWith([entryWith({ id: 'b' }, 5), entryWith({ id: 'a' }, 5)]);
    expect(services[0]?.endpoints.map(({ id }) => id)).toEqual(['b']);
  });

  test('is the same address however its IPv6 is written', () => {
    const value = (host: string): string => `[${host}]:80`;
    const { services, conflicting } = catalogWith([
      { key: '/backends/web/a', value: value('2001:db8::7'), createRevision: 1 },
      { key: '/backends/web/b', value: value('2001:DB8:0:0::7'), createRevision: 2 },
    ]);
    expect(services[0]?.endpoints.map(({ id }) => id)).toEqual(['b']);
    expect(conflicting.map(({ key }) => key)).toEqual(['/backends/web/a']);
  });

  test('is not claimed twice where only the ports of the same host differ', () => {
    const { conflicting } = catalogWith([
      entryWith({ id: 'a', address: { host: '10.0.0.1', port: 1 } }),
      entryWith({ id: 'b', address: { host: '10.0.0.1', port: 2 } }),
    ]);
    expect(conflicting).toEqual([]);
  });

  test('by three is told of each loser with the same reason, whatever the order of the keys', () => {
    const [oldest, middle, newest] = [entryWith({ id: 'a' }, 1), entryWith({ id: 'b' }, 2), entryWith({ id: 'c' }, 3)];
    const first = catalogWith([oldest, middle, newest]);
    expect(first.conflicting.map(({ key }) => key)).toEqual([oldest.key, middle.key]);
    expect(catalogWith([newest, oldest, middle])).toEqual(first);
  });
});

describe('an address that a newer key claims which this host never serves', () => {
  const [served, newer] = [entryWith({ service: 'web', id: 'a' }, 1), entryWith({ service: 'x', id: 'b' }, 9)];
  const catalogFor = (entries: readonly Entry[], ...services: string[]): Catalog =>
    catalogOf(
      entries.map((entry) => recordOf(prefix, entry)),
      undefined,
      ({ service }) => services.includes(service),
    );

  test('stays with the one that is served, and the newer is told why it has it not', () => {
    const { services, conflicting } = catalogFor([served, newer], 'web');
    expect(services.map(({ name }) => name)).toEqual(['web']);
    expect(conflicting).toEqual([
      {
        key: newer.key,
        reason: `10.170.71.226:49153 is claimed by ${served.key} too, which is older, and the one of them that this host may serve`,
      },
    ]);
  });

  test('goes to the newest where both, or none, could be served', () => {
    for (const services of [['web', 'x'], []])
      expect(catalogFor([served, newer], ...services).conflicting).toEqual([
        { key: served.key, reason: `10.170.71.226:49153 is claimed by the newer ${newer.key}` },
      ]);
  });

  test('goes to one that is served and came later, and back when that goes', () => {
    const index = createCatalogIndex(undefined, ({ service }) => service === 'web');
    const names = (): string[] => index.catalog().services.map(({ name }) => name);
    index.set(recordOf(prefix, newer));
    expect(names()).toEqual(['x']);
    index.set(recordOf(prefix, served));
    expect(names()).toEqual(['web']);
    index.delete(served.key);
    expect(names()).toEqual(['x']);
  });

  test('is given to the same one whatever the order of the keys; who is served has lost it to nobody who is not', () => {
    const few = fc.record({
      service: fc.constantFrom('a', 'b', 'c'),
      id: fc.constantFrom('x', 'y'),
      port: fc.constantFrom(1, 2),
      revision: fc.integer({ min: 1, max: 9 }),
    });
    const entries = fc
      .uniqueArray(few, { selector: ({ service, id }) => service + id, maxLength: 6 })
      .map((some) =>
        some.map(({ service, id, port, revision }) =>
          entryWith({ service, id, address: { host: '10.0.0.1', port } }, revision),
        ),
      );
    let lost = 0;
    fc.assert(
      fc.property(entries, fc.subarray(['a', 'b', 'c']), (some, services) => {
        const catalog = catalogFor(some, ...services);
        expect(catalogFor([...some].reverse(), ...services)).toEqual(catalog);
        for (const { key, reason } of catalog.conflicting) {
          const winner = /(\/backends\/[abc]\/[xy])/.exec(reason)?.[1] ?? '';
          lost += 1;
          if (services.includes(key.split('/')[2] ?? '')) expect(services).toContain(winner.split('/')[2]);
        }
        const addresses = catalog.services.flatMap(({ endpoints }) => endpoints.map(({ address }) => address.port));
        expect(new Set(addresses).size).toBe(addresses.length);
      }),
      { seed: 7, numRuns: 500 },
    );
    expect(lost).toBeGreaterThan(300);
  });
});

test('is the same whatever the order in which the keys came', () => {
  const shuffled = anyEntries.chain((entries) =>
    fc.tuple(
      fc.constant(entries),
      fc.shuffledSubarray(entries, { minLength: entries.length, maxLength: entries.length }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([entries, others]) => {
      expect(catalogWith(others)).toEqual(catalogWith(entries));
    }),
    { numRuns: 300 },
  );
});

test('accounts for every key exactly once', () => {
  fc.assert(
    fc.property(anyEntries, (entries) => {
      const { services, rejected, conflicting } = catalogOf(entries.map((entry) => recordOf(prefix, entry)));
      const keys = [...services.flatMap(({ endpoints }) => endpoints), ...rejected, ...conflicting].map(
        ({ key }) => key,
      );
      expect(keys.sort()).toEqual(entries.map(({ key }) => key).sort());
    }),
  );
});

test('a drain that was rejected, and is put again as it should be, is a problem no longer', () => {
  const index = createCatalogIndex();
  const key = `${prefix}/drain:/10.0.0.1`;
  index.set(recordOf(prefix, entryWith({ address: { host: '10.0.0.1', port: 80 } })));
  index.set({ kind: 'rejected', key, reason: 'it is not signed' });
  expect(index.catalog()).toMatchObject({ rejected: [{ key }], services: [{ endpoints: [{ state: 'ready' }] }] });
  index.set({ kind: 'drain', key, target: '10.0.0.1', within: null });
  expect(index.catalog()).toMatchObject({ rejected: [], services: [{ endpoints: [{ state: 'drain' }] }] });
  index.set({ kind: 'rejected', key, reason: 'it is not signed' });
  expect(index.catalog()).toMatchObject({ rejected: [{ key }], services: [{ endpoints: [{ state: 'ready' }] }] });
});

describe('a catalog that follows its keys', () => {
  const put = fc.tuple(anyEntries, fc.nat()).map(([entries, at]) => entries[at % Math.max(1, entries.length)] ?? null);
  const changes = fc.array(fc.tuple(put, fc.boolean()), { maxLength: 60 });

  test('is at each step what the keys that stand make afresh, whatever was put, altered and deleted', () => {
    fc.assert(
      fc.property(changes, (steps) => {
        const index = createCatalogIndex();
        const standing = new Map<string, Entry>();
        for (const [entry, isPut] of steps) {
          if (entry === null) continue;
          if (isPut) {
            standing.set(entry.key, entry);
            index.set(recordOf(prefix, entry));
          } else {
            standing.delete(entry.key);
            index.delete(entry.key);
          }
          expect(index.catalog()).toEqual(catalogWith([...standing.values()]));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('leaves the objects of what a change does not touch as they are', () => {
    const index = createCatalogIndex();
    for (const entry of [entryAt('web', 80, 'a'), entryAt('api', 8080, 'b'), entryAt('db', 5432, 'c')])
      index.set(recordOf(prefix, entry));
    const before = index.catalog();
    const more = entryAt('api', 8080, 'd');
    index.set(recordOf(prefix, more));
    const after = index.catalog();
    const same = after.services.filter((service) => before.services.includes(service));
    expect(same.map(({ name }) => name)).toEqual(['db', 'web']);
    expect(after.rejected).toBe(before.rejected);
    expect(index.catalog().services).toBe(after.services);
    index.delete(more.key);
    expect(index.catalog()).toEqual(before);
  });

  describe('what is drained by hand', () => {
    const endpoints = [
      entryWith({ service: 'web', id: '0123456789ab:80', address: { host: '10.0.0.1', port: 1 } }),
      entryWith({ service: 'web', id: '1123456789ab', address: { host: '10.0.0.1', port: 2 } }),
      entryWith({ service: 'db', id: 'named', address: { host: '10.0.0.2', port: 3 } }),
    ];
    const drain = (target: string): Entry => ({ key: drainKeyOf(prefix, target), value: '', createRevision: 9 });
    const drained = ({ services }: Catalog): string[] =>
      services.flatMap((service) => service.endpoints.filter(({ state }) => state === 'drain').map(({ id }) => id));

    test.each([
      ['a container by its id, with all its ports', '0123456789ab', ['0123456789ab:80']],
      ['one of its ports', '0123456789ab:80', ['0123456789ab:80']],
      ['a registration by its id', 'named', ['named']],
      ['a host by its address', '10.0.0.1', ['0123456789ab:80', '1123456789ab']],
      ['nothing that is there', '0123456789', []],
    ])('is %s, whatever came first', (_what, target, ids) => {
      for (const entries of [
        [...endpoints, drain(target)],
        [drain(target), ...endpoints],
      ])
        expect(drained(catalogOf(entries.map((entry) => recordOf(prefix, entry)))).sort()).toEqual(ids);
    });

    test('is as before when the drain is taken back', () => {
      const index = createCatalogIndex();
      for (const entry of endpoints) index.set(recordOf(prefix, entry));
      const before = index.catalog();
      index.set(recordOf(prefix, drain('10.0.0.1')));
      expect(drained(index.catalog())).toHaveLength(2);
      expect(index.catalog().rejected).toEqual([]);
      index.delete(drain('10.0.0.1').key);
      expect(index.catalog()).toEqual(before);
    });
  });

  test('gives an address back to the older claim when the newer one goes', () => {
    const index = createCatalogIndex();
    const older = entryWith({ service: 'older', id: 'a' }, 1);
    const newer = entryWith({ service: 'newer', id: 'b' }, 2);
    for (const entry of [older, newer]) index.set(recordOf(prefix, entry));
    expect(index.catalog().services.map(({ name }) => name)).toEqual(['newer']);
    index.delete(newer.key);
    expect(index.catalog()).toEqual(catalogWith([older]));
  });
});

describe('more than the limits allow', () => {
  const limited = (entries: readonly Entry[], limits: { services: number; endpoints: number }): Catalog =>
    catalogOf(
      entries.map((entry) => recordOf(prefix, entry)),
      limits,
    );

  test('of endpoints of a service leaves the oldest, and names the others', () => {
    const entries = [entryAt('web', 80, 'c', 1), entryAt('web', 80, 'b', 2), entryAt('web', 80, 'a', 3)];
    const { services, beyond } = limited(entries, { services: 9, endpoints: 2 });
    expect(services[0]?.endpoints.map(({ id }) => id)).toEqual(['b', 'c']);
    expect(beyond.endpoints).toEqual([
      {
        key: '/backends/web/a',
        reason: 'its service has more endpoints than 2 (MAX_ENDPOINTS), and it is not among the oldest',
      },
    ]);
  });

  test('leaves the stale ones out first', () => {
    const index = createCatalogIndex({ services: 9, endpoints: 1 });
    index.set(staleRecordOf(prefix, entryAt('web', 80, 'old', 1)));
    index.set(recordOf(prefix, entryAt('web', 80, 'new', 5)));
    expect(index.catalog().services[0]?.endpoints.map(({ id }) => id)).toEqual(['new']);
  });

  test('of services leaves those with the oldest registrations', () => {
    const entries = [entryAt('a', 80, 'x', 9), entryAt('b', 80, 'x', 2), entryAt('c', 80, 'x', 3), entryAt('a', 80, 'y', 4)]; // prettier-ignore
    const { services, beyond } = limited(entries, { services: 2, endpoints: 9 });
    expect(services.map(({ name }) => name)).toEqual(['b', 'c']);
    expect(beyond.services).toEqual([
      { key: 'a', reason: 'there are more services than 2 (MAX_SERVICES), and it is not among the oldest' },
    ]);
  });

  test('is the same whatever was put, altered and deleted before, and never more than the limits', () => {
    const limits = { services: 2, endpoints: 2 };
    const step = fc.tuple(anyEntries, fc.nat(), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const index = createCatalogIndex(limits);
        const standing = new Map<string, Entry>();
        for (const [entries, at, isPut] of steps) {
          const entry = entries[at % Math.max(1, entries.length)];
          if (entry === undefined) continue;
          if (isPut) {
            standing.set(entry.key, entry);
            index.set(recordOf(prefix, entry));
          } else {
            standing.delete(entry.key);
            index.delete(entry.key);
          }
          const catalog = index.catalog();
          expect(catalog).toEqual(limited([...standing.values()], limits));
          expect(catalog.services.length).toBeLessThanOrEqual(2);
          expect(catalog.services.every(({ endpoints }) => endpoints.length <= 2)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('of claims of one address, and of drains, cost for each what others cost', () => {
    const count = 5_000;
    const timeOf = (entryOf: (n: number) => Entry): number => {
      const index = createCatalogIndex();
      const startedAt = performance.now();
      for (let n = 0; n < count; n += 1) index.set(recordOf(prefix, entryOf(n)));
      index.catalog();
      return performance.now() - startedAt;
    };
    const at = (n: number): string => `10.9.${String(n >> 8)}.${String(n & 255)}`;
    const entry = (n: number, host: string): Entry => ({ key: `${prefix}/s/${String(n)}`, value: `${host}:80`, createRevision: n }); // prettier-ignore
    const others = timeOf((n) => entry(n, at(n)));
    // Where each is compared with each, it is a thousand times as much.
    expect(timeOf((n) => entry(n, '10.0.0.1'))).toBeLessThan(20 * others);
    const drain = (n: number): Entry => ({ key: drainKeyOf(prefix, at(n)), value: '', createRevision: n });
    expect(timeOf((n) => (n % 2 === 0 ? entry(n, at(n)) : drain(n)))).toBeLessThan(20 * others);
  });
});
