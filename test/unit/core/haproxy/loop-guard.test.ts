import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../../../src/core/catalog.js';
import { admittedBy, allAdmitted, defaultPolicy, type Admitted } from '../../../../src/core/haproxy/client-policy.js';
import type { FixedName } from '../../../../src/core/haproxy/fixed-binds.js';
import { createLoopGuard } from '../../../../src/core/haproxy/loop-guard.js';
import { modelOf, type Model } from '../../../../src/core/haproxy/model.js';
import { parseNetworks } from '../../../../src/core/networks.js';
import { accepted } from '../../support/parsed.js';
import { catalogWith, entryWith } from '../../support/registrations.js';

const interfaces = new Set(['127.0.0.1', '198.18.0.30', '172.17.0.1', '2001:db8::30']);
const policy = { ...defaultPolicy, networks: accepted(parseNetworks('0.0.0.0/0,127.0.0.0/8,::/0')) };

function at(service: string, servicePort: number, host: string, port: number, id = 'a'): Entry {
  return entryWith({ service, id, servicePort, address: { host, port } });
}

interface Circumstances {
  readonly bind?: readonly string[];
  readonly entrance?: string;
  readonly closed?: readonly FixedName[];
  readonly barred?: readonly number[];
  readonly mostListeners?: number;
}

function modelWith(entries: readonly Entry[], circumstances: Circumstances = {}): Model {
  const { bind = ['*'], entrance, closed = [], barred = [], mostListeners = 100 } = circumstances;
  const { services } = catalogWith(entries);
  const decide = (admitted: Admitted): Model =>
    modelOf({
      ...admitted,
      held: [],
      heldRevision: 0,
      hasEntrance: entrance !== undefined,
      whyBarred: (port) => (barred.includes(port) ? { reason: 'is taken by another process', byPolicy: false } : null),
      nowMs: 0,
      lingerMs: 0,
      mostListeners,
    });
  const admit = admittedBy(policy);
  const admitted = allAdmitted(services.map(admit));
  const fixed = [
    { name: 'stats page', bind: { host: '*', port: 1936 }, setting: 'STATS_BIND' } as const,
    ...(entrance === undefined
      ? []
      : [{ name: 'HTTP entrance', bind: { host: entrance, port: 80 }, setting: 'HTTP_BIND' } as const]),
  ];
  return createLoopGuard({ bind, fixed }, admit).without({
    services,
    admitted,
    model: decide(admitted),
    decide,
    interfaces,
    isBarred: (port) => barred.includes(port),
    closed: new Set(closed),
  });
}

/** Servers of each listener, and keys of what is forbidden. */
function outcomeOf({ listeners, forbidden }: Model): [string[], string[]] {
  return [
    listeners.map(({ name, servers }) => [name, ...servers.map((server) => server.name)].join(' ')),
    forbidden.map(({ key }) => key.replace('/backends/', '')),
  ];
}

describe('an endpoint at an address of this host and the port of an open listener', () => {
  test('is in no pool; a listener that has no other leaves its port to who wants it', () => {
    const model = modelWith([at('loop', 8200, '198.18.0.30', 8200), at('web', 8000, '10.0.0.1', 8000)]);
    expect(outcomeOf(model)).toEqual([['web:8000 a'], ['loop/a']]);
    expect(model.refused).toEqual([]);
    expect(model.forbidden[0]?.reason).toBe(
      "198.18.0.30:8200 is at this host's own port 8200, where HAProxy listens: it would lead to itself; give the service another port (SERVICE_PORT), or another here (MAP)",
    );
  });

  test('costs its service no other endpoint, and decides nothing of the listener', () => {
    const newest = entryWith(
      { service: 'web', id: 'z', servicePort: 8000, address: { host: '198.18.0.30', port: 8000 }, mode: 'http' },
      9,
    );
    const model = modelWith([at('web', 8000, '10.0.0.1', 8000), newest]);
    expect(outcomeOf(model)).toEqual([['web:8000 a'], ['web/z']]);
    expect(model.listeners[0]?.mode).toBe('tcp');
  });

  test('of another service is the same: two that lead to each other are a loop', () => {
    const entries = [at('a', 8200, '198.18.0.30', 8300), at('b', 8300, '172.17.0.1', 8200)];
    expect(outcomeOf(modelWith(entries))).toEqual([[], ['a/a', 'b/a']]);
  });

  test('is served where the port is not opened, because its container has it', () => {
    const entries = [at('web', 8000, '198.18.0.30', 8000)];
    const routed = entryWith({
      service: 'web',
      id: 'a',
      servicePort: 8000,
      address: { host: '198.18.0.30', port: 8000 },
      mode: 'http',
      httpHosts: ['web.example'],
    });
    expect(modelWith(entries, { barred: [8000] }).forbidden).toEqual([]);
    expect(outcomeOf(modelWith([routed], { barred: [8000], entrance: '*' }))).toEqual([['web:8000 a'], []]);
  });

  test('is served on another port than those of the listeners', () => {
    expect(outcomeOf(modelWith([at('web', 8000, '198.18.0.30', 49153)]))).toEqual([['web:8000 a'], []]);
  });
});

test.each<[string, readonly string[], string, boolean]>([
  ['every IPv4 address of the interfaces', ['*'], '172.17.0.1', true],
  ['all of loopback', ['*'], '127.3.2.1', true],
  ['no IPv6 address', ['*'], '2001:db8::30', false],
  ['every address, IPv6 too', ['::'], '2001:db8::30', true],
  ['every address, IPv4 too', ['::'], '198.18.0.30', true],
  ['no address of another host', ['::'], '198.18.0.31', false],
  ['that address', ['198.18.0.30'], '198.18.0.30', true],
  ['no other address', ['198.18.0.30'], '172.17.0.1', false],
  ['each of several', ['198.18.0.30', '172.17.0.1'], '172.17.0.1', true],
])('HAProxy listens at %s where BIND is %j', (_what, bind, host, isLoop) => {
  const { forbidden } = modelWith([at('x', 8200, '10.9.9.9', 1), at('y', 8300, host, 8200)], { bind });
  expect(forbidden).toHaveLength(isLoop ? 1 : 0);
});

describe('an endpoint at the HTTP entrance of this host', () => {
  const entries = [at('web', 8000, '198.18.0.30', 80)];

  test('leads to itself', () => {
    expect(outcomeOf(modelWith(entries, { entrance: '*', barred: [80] }))).toEqual([[], ['web/a']]);
  });

  test('does not where the entrance is at another address, or another process has its port', () => {
    expect(modelWith(entries, { entrance: '172.17.0.1', barred: [80] }).forbidden).toEqual([]);
    expect(modelWith(entries, { entrance: '*', barred: [80], closed: ['HTTP entrance'] }).forbidden).toEqual([]);
  });

  test('is something else than one at the stats page', () => {
    expect(modelWith([at('web', 8000, '198.18.0.30', 1936)], { barred: [1936] }).forbidden).toEqual([]);
  });
});

test('a service that is not served here, or an endpoint that is forbidden already, is told of no other way', () => {
  const entries = [
    at('loop', 8200, '127.0.0.1', 8300),
    at('loop', 8200, '10.0.0.2', 1, 'b'),
    at('web', 8300, '10.0.0.1', 1),
  ];
  const { services } = catalogWith(entries);
  const told = (changes: Partial<typeof defaultPolicy>): string[] => {
    const admit = admittedBy({ ...defaultPolicy, ...changes });
    const admitted = allAdmitted(services.map(admit));
    const decide = (those: Admitted): Model =>
      modelOf({
        ...those,
        held: [],
        heldRevision: 0,
        hasEntrance: false,
        whyBarred: () => null,
        nowMs: 0,
        lingerMs: 0,
        mostListeners: 9,
      });
    const guard = createLoopGuard({ bind: ['*'], fixed: [] }, admit);
    const input = { services, admitted, decide, interfaces, isBarred: () => false, closed: new Set<FixedName>() };
    return guard.without({ ...input, model: decide(admitted) }).forbidden.map(({ reason }) => reason);
  };
  expect(told({})).toEqual([expect.stringContaining('127.0.0.1 is loopback')]);
  expect(told({ denyServices: [{ matches: /^loop$/ }] })).toEqual([]);
});

test('whatever is registered, no server of a model leads to an open listener, and what does not is served', () => {
  const host = fc.constantFrom('198.18.0.30', '172.17.0.1', '127.0.0.1', '10.0.0.1', '10.0.0.2');
  const port = fc.integer({ min: 8000, max: 8005 });
  const entry = fc
    .record({
      service: fc.constantFrom('a', 'b', 'c', 'd'),
      servicePort: port,
      host,
      port,
      id: fc.constantFrom('x', 'y'),
    })
    .filter((one) => one.host !== '127.0.0.1' || one.port !== one.servicePort)
    .map((one) => at(one.service, one.servicePort, one.host, one.port, one.id));
  let [looped, served] = [0, 0];
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { maxLength: 8, selector: ({ key }) => key }),
      fc.subarray([8000, 8001]),
      fc.integer({ min: 1, max: 6 }),
      (entries, barred, mostListeners) => {
        const model = modelWith(entries, { barred, mostListeners });
        const open = new Set(model.listeners.filter(({ isOpen }) => isOpen).map((one) => one.port));
        for (const { servers } of model.listeners)
          for (const server of servers) expect(interfaces.has(server.host) && open.has(server.port)).toBe(false);
        for (const { servers } of model.listeners) expect(servers.length).toBeGreaterThan(0);
        looped += model.forbidden.length;
        served += model.listeners.length;
        // Without a limit, only a port that somebody asked for is one where HAProxy listens.
        const asked = new Set(catalogWith(entries).services.flatMap((one) => one.endpoints.map((e) => e.servicePort)));
        for (const { reason } of model.forbidden) expect(asked).toContain(Number(/own port (\d+)/.exec(reason)?.[1]));
      },
    ),
    { seed: 7, numRuns: 500 },
  );
  expect([looped > 300, served > 300]).toEqual([true, true]);
});

test('an address is looked for anew when the host has others', () => {
  const { services } = catalogWith([at('loop', 8200, '198.18.0.31', 8200)]);
  const admit = admittedBy(policy);
  const admitted = allAdmitted(services.map(admit));
  const guard = createLoopGuard({ bind: ['*'], fixed: [] }, admit);
  const decide = ({ forbidden }: Admitted): Model => ({ listeners: [], refused: [], forbidden, beyond: [] });
  const told = [new Set<string>(), new Set(['198.18.0.31']), new Set<string>()].map((now) => {
    const input = { services, admitted, decide, interfaces: now, isBarred: () => false, closed: new Set<FixedName>() };
    return guard.without({ ...input, model: decide(admitted) }).forbidden.length;
  });
  expect(told).toEqual([0, 1, 0]);
});

test('services of which nothing changed are the same objects, whatever loops', () => {
  const catalog = catalogWith([at('loop', 8200, '198.18.0.30', 8200), at('web', 8000, '10.0.0.1', 8000)]);
  const admits = catalog.services.map(admittedBy(policy));
  const admit = (service: (typeof catalog.services)[number]): Admitted =>
    admits[catalog.services.indexOf(service)] ?? admittedBy(policy)(service);
  const guard = createLoopGuard({ bind: ['*'], fixed: [] }, admit);
  const offered: Admitted[] = [];
  const decide = (admitted: Admitted): Model => {
    offered.push(admitted);
    return { listeners: [], refused: [], forbidden: [], beyond: [] };
  };
  const admitted = allAdmitted(admits);
  const model = decide(admitted);
  const input = { services: catalog.services, admitted, model, decide, interfaces, isBarred: () => false };
  for (let round = 0; round < 2; round += 1) guard.without({ ...input, closed: new Set() });
  expect(offered).toHaveLength(3);
  expect(offered[1]?.claims[0]).toBe(admitted.claims[1]);
  expect(offered[2]?.claims[0]).toBe(admitted.claims[1]);
});
