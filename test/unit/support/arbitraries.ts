import fc from 'fast-check';
import { isUnspecified, parseIp, type Address } from '../../../src/core/address.js';
import type { LeasedEntry } from '../../../src/core/catalog.js';
import { formatValue, keyOf } from '../../../src/core/keyspace.js';
import type { HeldListener } from '../../../src/core/haproxy/listener.js';
import { balances, type Attributes } from '../../../src/core/attributes.js';
import type { Registration } from '../../../src/core/service.js';
import { accepted } from './parsed.js';
import { heldWith } from './models.js';
import { prefix } from './registrations.js';

const ip = fc
  .oneof(fc.ipV4(), fc.ipV6())
  .map((text) => parseIp(text))
  // An IPv4 address in IPv6 clothes is none.
  .filter((parsed) => parsed.ok)
  .map(accepted)
  .filter((host) => !isUnspecified(host));
const port = fc.integer({ min: 1, max: 65535 });
const attributes: { [K in keyof Attributes]: fc.Arbitrary<Attributes[K]> } = {
  mode: fc.constantFrom('tcp', 'http'),
  balance: fc.constantFrom(...balances),
  check: fc.option(fc.stringMatching(/^\/[A-Za-z0-9._~/-]{0,40}$/)),
  checkStatus: fc.option(fc.constantFrom('200', '200-299,401', '301,302')),
  checkIntervalMs: fc.option(fc.integer({ min: 500, max: 3_600_000 })),
  sticky: fc.constantFrom('cookie', null),
  httpHosts: fc.uniqueArray(fc.constantFrom('shop.example', 'a.shop.example', '*.shop.example', '*', 'a'), {
    maxLength: 3,
  }),
  httpPath: fc.constantFrom(null, '/api', '/api/v2', '/a/b.c~d'),
  weight: fc.integer({ min: 1, max: 256 }),
  backup: fc.boolean(),
  maxconn: fc.option(fc.integer({ min: 1, max: 1_000_000 })),
  proxyProtocol: fc.constantFrom('v1', 'v2', null),
  slowStartMs: fc.option(fc.integer({ min: 1_000, max: 3_600_000 })),
  healthcheckMs: fc.option(fc.integer({ min: 1_000, max: 3_600_000 })),
  zone: fc.constantFrom('eu-1', 'eu-2', null),
  tags: fc.array(fc.stringMatching(/^[A-Za-z0-9._~:/,@+*=-]{1,20}$/), { maxLength: 3 }),
  state: fc.constantFrom('ready', 'drain'),
};
const others = fc
  .dictionary(fc.constantFrom('note', 'region', 'version'), fc.stringMatching(/^[A-Za-z0-9._~:/,@+*-]{1,40}$/))
  .map((texts) => new Map(Object.entries(texts)));

const eventAtMs = fc.option(fc.integer({ min: 0, max: 4_102_444_800_000 }));

/** Every registration that the grammar allows. */
export const anyRegistration: fc.Arbitrary<Registration> = fc.record({
  ...attributes,
  service: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/),
  address: fc.record({ host: ip, port }),
  servicePort: port,
  eventAtMs,
  others,
});

// A small world, so that keys, addresses and ports meet.
const serviceNames = fc.constantFrom('api', 'db', 'stats', 'web');
const servicePorts = fc.constantFrom(80, 443, 1936, 5432, 8000);
const address: fc.Arbitrary<Address> = fc.record({
  host: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::7'),
  port: fc.constantFrom(49153, 49154, 49155),
});
const registrationOfFew: fc.Arbitrary<Registration> = fc.record({
  ...attributes,
  service: serviceNames,
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  address,
  servicePort: servicePorts,
  eventAtMs,
  others,
});
const revision = fc.integer({ min: 1, max: 20 });

const goodEntry: fc.Arbitrary<LeasedEntry> = fc
  .tuple(registrationOfFew, revision)
  .map(([registration, createRevision]) => ({
    key: keyOf(prefix, registration),
    value: formatValue(registration),
    createRevision,
    lease: '0',
  }));
const badEntry: fc.Arbitrary<LeasedEntry> = fc.record({
  key: fc.stringMatching(/^\/backends\/[a-d]\/ [a-d]$/),
  value: fc.string(),
  createRevision: revision,
  lease: fc.constant('0'),
});

/** What may stand in etcd: no key twice, some that break the grammar. */
export const anyEntries: fc.Arbitrary<LeasedEntry[]> = fc.uniqueArray(
  fc.oneof({ weight: 9, arbitrary: goodEntry }, { weight: 1, arbitrary: badEntry }),
  { selector: ({ key }) => key, maxLength: 16 },
);

/** Listeners of an earlier model: no port twice, some of them without a server. */
export const anyHeld: fc.Arbitrary<HeldListener[]> = fc
  .uniqueArray(
    fc.record({
      service: serviceNames,
      port: servicePorts,
      empty: fc.option(fc.record({ sinceMs: fc.integer({ min: 0, max: 2_000 }), revision })),
    }),
    { selector: (held) => held.port, maxLength: 5 },
  )
  .map((held) => held.map((changes) => heldWith(changes)));

export const anyBarred: fc.Arbitrary<ReadonlyMap<number, string>> = fc
  .uniqueArray(servicePorts, { maxLength: 3 })
  .map((ports) => new Map(ports.map((barred) => [barred, 'is taken by another process'])));
