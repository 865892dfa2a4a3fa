import { describe, expect, test } from 'vitest';
import {
  admittedBy,
  allAdmitted,
  defaultPolicy,
  formatPortRanges,
  parsePortMap,
  parsePortRanges,
  parseServicePatterns,
  whyBarredBy,
  type Admitted,
  type ClientPolicy,
} from '../../../../src/core/haproxy/client-policy.js';
import type { Catalog, Entry } from '../../../../src/core/catalog.js';
import { accepted, reasonOf } from '../../support/parsed.js';
import { catalogWith, entryAt, entryWith } from '../../support/registrations.js';

const services = ['shop-api', 'shop-web', 'whoami'] as const;
const catalog = catalogWith([...services.map((service) => entryAt(service, 8000, 'a')), entryAt('whoami', 8001, 'b')]);

const reserved = new Map([[1936, 'stats page']]);

function admitted(policy: Partial<ClientPolicy>, { services: those }: Pick<Catalog, 'services'> = catalog): Admitted {
  return allAdmitted(those.map(admittedBy({ ...defaultPolicy, ...policy })));
}

function portsUnder(policy: Partial<ClientPolicy>): string[] {
  return admitted(policy).claims.map(({ listener }) => `${listener.name} on ${String(listener.port)}`);
}

describe('of the services, a host serves', () => {
  const patterns = (text: string): NonNullable<ClientPolicy['services']> => accepted(parseServicePatterns(text));

  test.each([
    ['all', {}, ['shop-api', 'shop-web', 'whoami']],
    ['those that it names', { services: patterns('whoami, shop-web') }, ['shop-web', 'whoami']],
    ['those that a * matches', { services: patterns('shop-*') }, ['shop-api', 'shop-web']],
    ['those that a ? matches', { services: patterns('shop-???,who?') }, ['shop-api', 'shop-web']],
    ['all but the denied', { denyServices: patterns('*-api') }, ['shop-web', 'whoami']],
    [
      'none that is denied and named',
      { services: patterns('shop-*'), denyServices: patterns('shop-api') },
      ['shop-web'],
    ],
    ['none where a dot is no dot', { services: patterns('shop.api') }, []],
  ])('%s', (_what, policy, names) => {
    expect([...new Set(portsUnder(policy).map((text) => text.replace(/:.*/, '')))]).toEqual(names);
  });

  test.each(['', 'a,', 'a b', 'a/b', '[ab]'])('a list may not be %j', (text) => {
    expect(reasonOf(parseServicePatterns(text))).toContain('is not the name of a service');
  });
});

describe('a service port', () => {
  test.each([
    ['whoami=9000', ['whoami:8000 on 9000', 'whoami:8001 on 9000']],
    ['whoami:8001=9001', ['whoami:8000 on 8000', 'whoami:8001 on 9001']],
    ['whoami=9000,whoami:8001=9001', ['whoami:8000 on 9000', 'whoami:8001 on 9001']],
  ])('is another on this host by %s', (text, ports) => {
    expect(portsUnder({ map: accepted(parsePortMap(text)) }).filter((port) => port.startsWith('whoami'))).toEqual(
      ports,
    );
  });

  test.each(['', 'whoami', 'whoami=', 'whoami=0', 'whoami:x=1', '-a=1', 'a=1=2', 'a:1:2=3'])(
    'is not mapped by %j',
    (text) => {
      expect(reasonOf(parsePortMap(text))).toContain('is not a mapping: give SERVICE=PORT');
    },
  );

  test('is not mapped twice', () => {
    expect(reasonOf(parsePortMap('a=1,a=2'))).toBe('"a" is mapped twice');
  });
});

test('all and none are what they say', () => {
  expect(accepted(parsePortRanges('all'))).toEqual([{ first: 1, last: 65_535 }]);
  expect(accepted(parsePortRanges('none'))).toEqual([]);
  expect(accepted(parsePortMap('none'))).toEqual(new Map());
});

describe('an endpoint at an address that the host does not use', () => {
  const of = (id: string, host: string, changes: object = {}, revision = 1): Entry =>
    entryWith({ service: 'web', id, servicePort: 80, address: { host, port: 8000 }, ...changes }, revision);

  test('is in no pool, and is told of with its key, sorted, by the rule and the mend', () => {
    const { claims, forbidden } = admitted(
      {},
      catalogWith([of('c', '127.0.0.1'), of('b', '10.0.0.1'), of('a', 'ff02::1')]),
    );
    expect(claims.map(({ listener }) => listener.servers.map(({ name }) => name))).toEqual([['b']]);
    expect(forbidden.map(({ key }) => key)).toEqual(['/backends/web/a', '/backends/web/c']);
    expect(forbidden[1]?.reason).toBe(
      '127.0.0.1 is loopback (127.0.0.0/8), where this host uses no endpoint; register it at another address, or allow the network in NETWORKS',
    );
  });

  test('asks for no port, and decides nothing of the listener, although it is the newest', () => {
    const alone = admitted({}, catalogWith([of('a', '169.254.169.254')]));
    expect(alone.claims).toEqual([]);
    expect(alone.forbidden).toHaveLength(1);
    const newest = of('b', '169.254.169.254', { mode: 'http' }, 9);
    expect(admitted({}, catalogWith([of('a', '10.0.0.1'), newest])).claims).toMatchObject([
      { since: 1, listener: { mode: 'tcp' } },
    ]);
  });

  test('of a service that is not served is not worth a word', () => {
    const denyServices = accepted(parseServicePatterns('web'));
    expect(admitted({ denyServices }, catalogWith([of('a', '127.0.0.1')]))).toEqual({ claims: [], forbidden: [] });
  });
});

describe('with a zone', () => {
  const at = (id: string, changes: object): Entry =>
    entryWith({ id, address: { host: `10.0.0.${String(id.charCodeAt(0))}`, port: 80 }, ...changes });
  const backups = (entries: readonly Entry[], policy: Partial<ClientPolicy>): string[] =>
    admitted(policy, catalogWith(entries)).claims.flatMap(({ listener }) =>
      listener.servers.filter(({ backup }) => backup).map(({ name }) => name),
    );
  const four = [at('a', { zone: 'eu' }), at('b', { zone: 'eu' }), at('c', { zone: 'us' }), at('d', {})];

  test.each<[string, Entry[], Partial<ClientPolicy>, string[]]>([
    ['nobody is a backup where the host has none', four, {}, []],
    ['endpoints of other zones, and of none, are backups', four, { zone: 'eu' }, ['c', 'd']],
    ['nobody is where the own zone has too few', four, { zone: 'eu', zoneThreshold: 3 }, []],
    ['nobody is where the own zone has none', four, { zone: 'asia' }, []],
    [
      'who drains does not count',
      [at('a', { zone: 'eu', state: 'drain' }), at('c', { zone: 'us' })],
      { zone: 'eu' },
      [],
    ],
    ['nor does a backup', [at('a', { zone: 'eu', backup: true }), at('c', { zone: 'us' })], { zone: 'eu' }, ['a']],
  ])('%s', (_what, entries, policy, names) => {
    expect(backups(entries, policy)).toEqual(names);
  });
});

describe('a port', () => {
  test.each([
    [22, 'is denied on this host (DENY_PORTS)'],
    [2376, 'is denied on this host (DENY_PORTS)'],
    [2380, 'is denied on this host (DENY_PORTS)'],
    [1936, 'is reserved for the stats page'],
    [80, null],
    [65_535, null],
  ])('%d: %s', (port, reason) => {
    expect(whyBarredBy(defaultPolicy, reserved)(port)?.reason ?? null).toBe(reason);
  });

  test('outside of those that are allowed is not', () => {
    const whyBarred = whyBarredBy({ ...defaultPolicy, ports: accepted(parsePortRanges('80, 8000-8999')) }, reserved);
    expect([79, 80, 81, 7999, 8000, 8999, 9000].filter((port) => whyBarred(port) === null)).toEqual([80, 8000, 8999]);
    expect(whyBarred(79)).toEqual({ reason: 'is not allowed on this host (PORTS)', byPolicy: true });
  });

  test('may be one that is denied by default, where the setting says otherwise', () => {
    expect(whyBarredBy({ ...defaultPolicy, denyPorts: accepted(parsePortRanges('1-21')) }, reserved)(22)).toBeNull();
  });

  test.each(['', 'no', '0', '80-', '-80', '90-80', '1-2-3', '80;81', '65536'])(
    'or a range of them is not %j',
    (text) => {
      expect(reasonOf(parsePortRanges(text))).toContain('is not a port or a range of ports');
    },
  );

  test('and ranges are written as they are read', () => {
    expect(formatPortRanges(accepted(parsePortRanges('22,2375-2377')))).toBe('22,2375-2377');
  });
});
