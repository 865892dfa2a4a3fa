import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { modelOf, type Barred, type Model, type ModelInput } from '../../../../src/core/haproxy/model.js';
import { anyBarred, anyEntries, anyHeld } from '../../support/arbitraries.js';
import { heldWith, listenerWith, serverWith } from '../../support/models.js';
import { catalogWith, claimsWith, entryAt, entryWith } from '../../support/registrations.js';

const nowMs = 1_000_000;

function model(changes: Partial<ModelInput>): Model {
  return modelOf({
    claims: claimsWith([]),
    forbidden: [],
    heldRevision: 10,
    held: [],
    hasEntrance: false,
    whyBarred: () => null,
    nowMs,
    lingerMs: 60_000,
    mostListeners: 5_000,
    ...changes,
  });
}

function barredBy(barred: ReadonlyMap<number, string>): ModelInput['whyBarred'] {
  return (port) => {
    const reason = barred.get(port);
    return reason === undefined ? null : { reason, byPolicy: false };
  };
}

function namesOf({ listeners }: Model): string[] {
  return listeners.map(({ name }) => name);
}

describe('a service', () => {
  test('becomes one listener with its endpoints as servers', () => {
    const { listeners, refused } = model({
      claims: claimsWith([
        entryWith({ id: 'b', address: { host: '10.0.0.2', port: 2 }, weight: 20 }),
        entryWith({ id: 'a', address: { host: '10.0.0.1', port: 1 } }),
      ]),
    });
    expect(refused).toEqual([]);
    expect(listeners).toEqual([
      listenerWith({
        servers: [
          serverWith({ name: 'a', host: '10.0.0.1', port: 1 }),
          serverWith({ name: 'b', host: '10.0.0.2', port: 2, weight: 20 }),
        ],
      }),
    ]);
  });

  test('with several service ports becomes several listeners', () => {
    const entries = [entryAt('web', 443, 'a:443'), entryAt('web', 80, 'a:80'), entryAt('web', 80, 'b:80')];
    const { listeners } = model({ claims: claimsWith(entries) });
    expect(listeners.map(({ name, servers }) => [name, servers.map((server) => server.name)])).toEqual([
      ['web:443', ['a:443']],
      ['web:80', ['a:80', 'b:80']],
    ]);
  });

  test('called stats has a name of its own beside the stats page', () => {
    const { listeners } = model({
      claims: claimsWith([entryAt('stats', 8080, 'a')]),
      whyBarred: barredBy(new Map([[1936, 'is reserved for the stats page']])),
    });
    expect(listeners.map(({ name }) => name)).toEqual(['stats:8080']);
  });

  test('sends nothing new to an endpoint that drains, whatever its weight', () => {
    const { listeners } = model({ claims: claimsWith([entryWith({ weight: 20, state: 'drain' })]) });
    expect(listeners[0]?.servers[0]?.weight).toBe(0);
  });

  test('takes mode, balance and check from its newest registration, where they disagree', () => {
    const old = entryWith({ id: 'z', mode: 'tcp', balance: 'source', address: { host: '10.0.0.1', port: 1 } }, 3);
    const young = entryWith(
      { id: 'a', mode: 'http', balance: 'leastconn', check: '/healthz', address: { host: '10.0.0.2', port: 1 } },
      4,
    );
    for (const entries of [
      [old, young],
      [young, old],
    ]) {
      const [listener] = model({ claims: claimsWith(entries) }).listeners;
      expect(listener).toMatchObject({ mode: 'http', balance: 'leastconn', check: '/healthz' });
    }
  });
});

describe('a port', () => {
  const older = entryAt('older', 8000, 'a', 3);
  const younger = entryAt('younger', 8000, 'b', 5);

  test('that two newcomers claim goes to the older registration, and the other is told', () => {
    const { listeners, refused } = model({ claims: claimsWith([younger, older]) });
    expect(listeners.map(({ name }) => name)).toEqual(['older:8000']);
    expect(refused).toEqual([{ key: 'younger:8000', reason: 'port 8000 is held by service older' }]);
  });

  test('stays with the listener that holds it, although an older registration claims it', () => {
    const result = model({
      claims: claimsWith([older, younger]),
      held: [heldWith({ service: 'younger', port: 8000 })],
    });
    expect(namesOf(result)).toEqual(['younger:8000']);
    expect(result.refused).toEqual([{ key: 'older:8000', reason: 'port 8000 is held by service younger' }]);
  });

  test('stays with its holder while that lingers, against a claim from before it emptied', () => {
    const result = model({
      claims: claimsWith([younger]),
      held: [heldWith({ service: 'gone', port: 8000, empty: { sinceMs: nowMs - 1, revision: 5 } })],
    });
    expect(namesOf(result)).toEqual(['gone:8000']);
    const reason = 'port 8000 is held by service gone, which has no endpoint, and lingers (LINGER)';
    expect(result.refused).toEqual([{ key: 'younger:8000', reason }]);
  });

  test('goes at once to a service that came after its holder had emptied', () => {
    const result = model({
      claims: claimsWith([younger]),
      held: [heldWith({ service: 'gone', port: 8000, empty: { sinceMs: nowMs - 1, revision: 4 } })],
    });
    expect(namesOf(result)).toEqual(['younger:8000']);
    expect(result.refused).toEqual([]);
  });

  test.each([
    [22, 'port 22 is denied on this host'],
    [8000, 'port 8000 is taken by another process'],
  ])('%d that is barred costs that listener only, with the reason', (port, reason) => {
    const whyBarred = barredBy(
      new Map([
        [22, 'is denied on this host'],
        [8000, 'is taken by another process'],
      ]),
    );
    const claims = claimsWith([entryAt('greedy', port, 'a'), entryAt('modest', 80, 'b')]);
    const result = model({ claims, whyBarred, held: [heldWith({ service: 'greedy', port })] });
    expect(namesOf(result)).toEqual(['modest:80']);
    expect(result.refused).toEqual([{ key: `greedy:${String(port)}`, reason }]);
  });

  test('of one that held another port before is nobody’s: the older has it', () => {
    const claims = claimsWith([entryAt('alpha', 8000, 'a', 5), entryAt('beta', 8000, 'b', 2)]);
    const held = [
      heldWith({ service: 'alpha', servicePort: 8000, port: 9000 }),
      heldWith({ service: 'beta', port: 8000 }),
    ];
    expect(namesOf(model({ claims, held }))).toEqual(['beta:8000']);
  });

  test('goes to the same of three claims, whatever the services are called', () => {
    // A holder that emptied at 10, one claim that waits since before, one that came after.
    const winner = (holder: string, waits: string, came: string): string | undefined => {
      const [listener] = model({
        heldRevision: 20,
        claims: claimsWith([entryAt(waits, 8000, 'a', 5), entryAt(came, 8000, 'b', 20)]),
        held: [heldWith({ service: holder, port: 8000, empty: { sinceMs: nowMs - 1, revision: 10 } })],
      }).listeners;
      const roles = new Map([
        [holder, 'the holder'],
        [waits, 'the one that waits'],
        [came, 'the one that came'],
      ]);
      return roles.get(listener?.service ?? '');
    };
    const outcomes = [
      winner('a', 'b', 'c'),
      winner('a', 'c', 'b'),
      winner('b', 'a', 'c'),
      winner('b', 'c', 'a'),
      winner('c', 'a', 'b'),
      winner('c', 'b', 'a'),
    ];
    expect(new Set(outcomes)).toEqual(new Set(['the one that came']));
  });
});

describe('a listener whose last endpoint went', () => {
  test('is not worth a word when its port is barred', () => {
    const held = [heldWith({ service: 'web', port: 80, empty: { sinceMs: nowMs - 1, revision: 1 } })];
    expect(model({ held, whyBarred: barredBy(new Map([[80, 'is taken by another process']])) })).toEqual({
      listeners: [],
      refused: [],
      forbidden: [],
      beyond: [],
    });
  });

  const held = [heldWith()];

  test('stays, without a server, from now on', () => {
    const { listeners } = model({ held, heldRevision: 12 });
    expect(listeners).toEqual([{ ...heldWith(), servers: [], empty: { sinceMs: nowMs, revision: 12 } }]);
  });

  test('keeps the moment at which it emptied', () => {
    const empty = { sinceMs: nowMs - 59_999, revision: 4 };
    expect(
      model({ held: [heldWith({ empty })], heldRevision: 12 }).listeners.map((listener) => listener.empty),
    ).toEqual([empty]);
  });

  test('goes when it has lingered long enough', () => {
    const empty = { sinceMs: nowMs - 60_000, revision: 4 };
    expect(model({ held: [heldWith({ empty })] }).listeners).toEqual([]);
  });

  test('goes at once where nothing is to linger', () => {
    expect(model({ held, lingerMs: 0 }).listeners).toEqual([]);
  });

  test('is filled again by its next endpoint', () => {
    const empty = { sinceMs: nowMs - 1, revision: 4 };
    const { listeners } = model({ held: [heldWith({ empty })], claims: claimsWith([entryWith({}, 9)]) });
    expect(listeners.map((listener) => [listener.servers.length, listener.empty])).toEqual([[1, null]]);
  });
});

describe('the HTTP entrance', () => {
  const shop = entryAt('shop', 80, 'a', 1, { httpHosts: ['shop.example'] });
  const rival = entryAt('rival', 81, 'b', 2, { httpHosts: ['shop.example', 'rival.example'] });
  const routesOf = ({ listeners }: Model): (readonly [string, boolean, readonly string[]])[] =>
    listeners.map(({ name, isOpen, routes }) => [name, isOpen, routes]);

  test('leads to the services that ask for it, which are in mode http then', () => {
    const { listeners, refused } = model({ hasEntrance: true, claims: claimsWith([shop]) });
    expect(refused).toEqual([]);
    expect(listeners).toMatchObject([{ isOpen: true, routes: ['shop.example/'], mode: 'http' }]);
  });

  test('leads nowhere on a host that has none', () => {
    const { listeners, refused } = model({ claims: claimsWith([shop, rival]) });
    expect(refused).toEqual([]);
    expect(listeners.map(({ routes }) => routes)).toEqual([[], []]);
  });

  test('leads to the one with the oldest registration, where two ask for one route', () => {
    const built = model({ hasEntrance: true, claims: claimsWith([rival, shop]) });
    expect(routesOf(built)).toEqual([
      ['rival:81', true, ['rival.example/']],
      ['shop:80', true, ['shop.example/']],
    ]);
    expect(built.refused).toEqual([{ key: 'rival:81 at shop.example', reason: 'it is held by service shop' }]);
  });

  test('goes on leading to the one that had a route, also while it lingers', () => {
    const held = [heldWith({ service: 'rival', port: 81, httpHosts: ['shop.example'], routes: ['shop.example/'] })];
    const both = model({ hasEntrance: true, held, claims: claimsWith([shop, rival]) });
    expect(both.refused).toEqual([{ key: 'shop:80 at shop.example', reason: 'it is held by service rival' }]);
    const gone = model({ hasEntrance: true, held, claims: claimsWith([shop]) });
    expect(routesOf(gone)).toEqual([
      ['rival:81', true, ['shop.example/']],
      ['shop:80', true, []],
    ]);
    const since = [heldWith({ ...held[0], empty: { sinceMs: nowMs, revision: 0 } })];
    expect(routesOf(model({ hasEntrance: true, held: since, claims: claimsWith([shop]) }))).toEqual([
      ['rival:81', true, []],
      ['shop:80', true, ['shop.example/']],
    ]);
  });

  test('leads also to a service whose port is another’s, and that is told', () => {
    const other = entryAt('blog', 80, 'c', 3, { httpHosts: ['blog.example'] });
    const built = model({ hasEntrance: true, claims: claimsWith([shop, other]) });
    expect(routesOf(built)).toEqual([
      ['blog:80', false, ['blog.example/']],
      ['shop:80', true, ['shop.example/']],
    ]);
    expect(built.refused).toEqual([
      { key: 'blog:80', reason: 'port 80 is held by service shop; it is served at the HTTP entrance alone' },
    ]);
  });

  test('does not get a port by lingering that a service never had', () => {
    const blog = entryAt('blog', 80, 'c', 3, { httpHosts: ['blog.example'] });
    const held = model({ hasEntrance: true, claims: claimsWith([shop, blog]) }).listeners.filter(
      ({ name }) => name === 'blog:80',
    );
    const waiting = claimsWith([entryAt('xray', 80, 'x', 4)]);
    expect(routesOf(model({ hasEntrance: true, held, claims: waiting }))).toEqual([
      ['blog:80', false, ['blog.example/']],
      ['xray:80', true, []],
    ]);
  });

  test('is all that a service needs whose port this host does not want open', () => {
    const whyBarred = (): Barred => ({ reason: 'is not allowed on this host (PORTS)', byPolicy: true });
    const built = model({ hasEntrance: true, whyBarred, claims: claimsWith([shop, entryAt('db', 5432, 'd')]) });
    expect(routesOf(built)).toEqual([['shop:80', false, ['shop.example/']]]);
    expect(built.refused).toEqual([{ key: 'db:5432', reason: 'port 5432 is not allowed on this host (PORTS)' }]);
  });
});

describe('whatever stands in etcd and whoever held what', () => {
  const anyInput = fc.record({
    entries: anyEntries,
    held: anyHeld,
    barred: anyBarred,
    hasEntrance: fc.boolean(),
    lingerMs: fc.constantFrom(1_000, 60_000),
  });
  const decide = ({
    entries,
    barred,
    ...input
  }: {
    entries: Parameters<typeof catalogWith>[0];
    barred: ReadonlyMap<number, string>;
  } & Partial<ModelInput>): Model =>
    model({ ...input, whyBarred: barredBy(barred), claims: claimsWith(entries), nowMs: 2_000, heldRevision: 20 });

  const namesAsked = (entries: Parameters<typeof catalogWith>[0]): string[] =>
    catalogWith(entries).services.flatMap(({ name, endpoints }) =>
      endpoints.map(({ servicePort }) => `${name}:${String(servicePort)}`),
    );

  test('no two listeners share a port, a route or a name, and none has a barred port', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { listeners } = decide(input);
        const ports = listeners.filter(({ isOpen }) => isOpen).map(({ port }) => port);
        const routes = listeners.flatMap((listener) => listener.routes);
        expect(new Set(ports).size).toBe(ports.length);
        expect(new Set(routes).size).toBe(routes.length);
        expect(new Set(listeners.map(({ name }) => name)).size).toBe(listeners.length);
        expect(ports.filter((port) => input.barred.has(port))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('every service port is served, or left out with a reason', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const result = decide(input);
        const told = new Set([...namesOf(result), ...result.refused.map(({ key }) => key)]);
        expect(namesAsked(input.entries).filter((name) => !told.has(name))).toEqual([]);
      }),
    );
  });

  test('a holder with endpoints keeps its port', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const claimed = namesAsked(input.entries);
        const living = input.held.filter(({ name, port }) => claimed.includes(name) && !input.barred.has(port));
        expect(namesOf(decide(input))).toEqual(expect.arrayContaining(living.map(({ name }) => name)));
      }),
    );
  });

  test('the same again decides the same', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const first = decide(input);
        const again = decide({ ...input, held: first.listeners });
        expect(again.listeners).toEqual(first.listeners);
      }),
    );
  });

  test('listeners and servers are sorted', () => {
    const sorted = (names: readonly string[]): void => {
      expect(names).toEqual([...names].sort());
    };
    fc.assert(
      fc.property(anyInput, (input) => {
        const { listeners, refused } = decide(input);
        sorted(listeners.map(({ name }) => name));
        sorted(refused.map(({ key }) => key));
        for (const { servers } of listeners) sorted(servers.map(({ name }) => name));
      }),
    );
  });
});

describe('more listeners than the limit', () => {
  const names = ({ listeners }: Model): string[] => listeners.map(({ name }) => name);

  test('leaves those with the oldest registrations, and names the others', () => {
    const claims = claimsWith([entryAt('a', 81, 'x', 3), entryAt('b', 82, 'x', 1), entryAt('c', 83, 'x', 2)]);
    const cut = model({ claims, mostListeners: 2 });
    expect(names(cut)).toEqual(['b:82', 'c:83']);
    expect(cut.beyond).toEqual([
      { key: 'a:81', reason: 'there are more listeners than 2 (MAX_LISTENERS), and it is not among the oldest' },
    ]);
  });

  test('takes those that linger last, and does not count those that are refused', () => {
    const held = [heldWith({ service: 'gone', port: 80, empty: { sinceMs: nowMs - 1, revision: 1 } })];
    const claims = claimsWith([entryAt('a', 81, 'x', 11), entryAt('z', 81, 'x', 12), entryAt('b', 82, 'x', 13)]);
    const cut = model({ claims, held, mostListeners: 2 });
    expect(names(cut)).toEqual(['a:81', 'b:82']);
    expect(cut.refused.map(({ key }) => key)).toEqual(['z:81']);
    expect(names(model({ claims, held, mostListeners: 3 }))).toContain('gone:80');
  });
});
