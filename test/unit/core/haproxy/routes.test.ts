import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatRoutes,
  parseRoutesReply,
  parseShowMap,
  planRoutes,
  routeCommandOf,
  routesOf,
  withSteps,
  type Routes,
} from '../../../../src/core/haproxy/routes.js';
import { listenerWith, modelWith } from '../../support/models.js';

const always = (): boolean => true;

test('the map has every route of every listener, sorted, as a file', () => {
  const model = modelWith(
    listenerWith({ service: 'shop', port: 80, routes: ['shop.example/', '*.shop.example/'] }),
    listenerWith({ service: 'api', port: 81, routes: ['shop.example/api/'] }),
    listenerWith({ service: 'db', port: 82 }),
  );
  expect(formatRoutes(routesOf(model))).toBe(
    '*.shop.example/ shop:80\nshop.example/ shop:80\nshop.example/api/ api:81\n',
  );
});

describe('the plan', () => {
  const observed: Routes = new Map([
    ['a/', 'one:80'],
    ['b/', 'one:80'],
    ['c/', 'one:80'],
  ]);

  test('adds, alters and deletes', () => {
    const desired: Routes = new Map([
      ['a/', 'one:80'],
      ['b/', 'two:80'],
      ['d/', 'two:80'],
    ]);
    const steps = planRoutes(observed, desired, always);
    expect(steps.map((step) => routeCommandOf(step, '/run/routes.map'))).toEqual([
      'set map /run/routes.map b/ two:80',
      'add map /run/routes.map d/ two:80',
      'del map /run/routes.map c/',
    ]);
  });

  test('leaves a route where it leads until its new listener is there', () => {
    const desired: Routes = new Map([...observed, ['b/', 'new:80']]);
    expect(planRoutes(observed, desired, (name) => name !== 'new:80')).toEqual([]);
    expect(planRoutes(observed, desired, always)).toEqual([{ kind: 'set', route: 'b/', listener: 'new:80' }]);
  });

  test('adds no route before its listener is there: what answers now goes on', () => {
    const desired: Routes = new Map([...observed, ['a/x/', 'new:80']]);
    expect(planRoutes(observed, desired, (name) => name !== 'new:80')).toEqual([]);
  });

  test('leads to what is desired, from anything, and then does nothing', () => {
    const anyRoutes = fc
      .dictionary(fc.constantFrom('a/', 'b/', 'c/', 'd/'), fc.constantFrom('one:80', 'two:80', 'three:80'))
      .map((texts): Routes => new Map(Object.entries(texts)));
    fc.assert(
      fc.property(anyRoutes, anyRoutes, (from, to) => {
        const after = withSteps(from, planRoutes(from, to, always));
        expect(new Map(after)).toEqual(new Map(to));
        expect(planRoutes(after, to, always)).toEqual([]);
      }),
    );
  });
});

// As HAProxy 3.0.11 says it.
describe('what HAProxy says', () => {
  test('of its map', () => {
    const reply = '0x7feb5d742f00 shop.example/ shop:8080\n0x7feb5d742f80 */health/ api:9000\n\n';
    expect(parseShowMap(reply)).toEqual(
      new Map([
        ['shop.example/', 'shop:8080'],
        ['*/health/', 'api:9000'],
      ]),
    );
    expect(parseShowMap('\n')).toEqual(new Map());
    expect(parseShowMap('0x1 a/ b:1\n0x2 a/ by-hand:1\n\n')).toEqual(new Map([['a/', 'b:1']]));
    expect(parseShowMap('Unknown map identifier. Please use #<id> or <file>.\n\n')).toBeNull();
    expect(() => parseShowMap('Permission denied\n\n')).toThrow('HAProxy did not tell its routes: "Permission denied"');
  });

  test('to changes', () => {
    expect(parseRoutesReply('\n\n')).toBeNull();
    expect(parseRoutesReply('\nentry not found.\n\n')).toBe('entry not found.');
  });
});
