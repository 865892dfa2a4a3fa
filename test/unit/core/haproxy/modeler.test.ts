import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Service } from '../../../../src/core/catalog.js';
import { claimsOf, type Claim } from '../../../../src/core/haproxy/claims.js';
import type { HeldListener } from '../../../../src/core/haproxy/listener.js';
import { modelOf, type ModelInput } from '../../../../src/core/haproxy/model.js';
import { createModeler } from '../../../../src/core/haproxy/modeler.js';
import { anyBarred, anyEntries, anyHeld } from '../../support/arbitraries.js';
import { serverWith } from '../../support/models.js';
import { catalogWith, claimsWith, entryAt, entryWith } from '../../support/registrations.js';

function inputWith(changes: Partial<ModelInput>): ModelInput {
  return {
    claims: [],
    forbidden: [],
    heldRevision: 10,
    held: [],
    hasEntrance: false,
    whyBarred: () => null,
    nowMs: 1_000_000,
    lingerMs: 60_000,
    mostListeners: 5_000,
    ...changes,
  };
}

const [web, api] = [entryAt('web', 80, 'a:80'), entryAt('api', 8000, 'b:80')];

describe('a modeler', () => {
  test('gives the same model where nothing changed', () => {
    const decide = createModeler();
    const claims = claimsWith([web, api]);
    const forbidden: ModelInput['forbidden'] = [];
    const first = decide(inputWith({ claims, forbidden }));
    const again = inputWith({ claims: [...claims], forbidden, held: first.listeners, nowMs: 2_000_000 });
    expect(decide(again)).toBe(first);
  });

  test('keeps the listeners of the others where one has other servers', () => {
    const decide = createModeler();
    const claims = claimsWith([web, api]);
    const first = decide(inputWith({ claims }));
    const servers = [serverWith({ name: 'a:80', host: '10.0.0.9', port: 80 })];
    const moved = claims.map((claim) =>
      claim.listener.service === 'web' ? { ...claim, listener: { ...claim.listener, servers } } : claim,
    );
    const { listeners } = decide(inputWith({ claims: moved, held: first.listeners }));
    expect(listeners.map((listener) => [listener.service, listener.servers[0]?.host])).toEqual([
      ['api', first.listeners[0]?.servers[0]?.host],
      ['web', '10.0.0.9'],
    ]);
    expect(listeners[0]).toBe(first.listeners[0]);
    expect(first.listeners[1]?.servers[0]?.host).not.toBe('10.0.0.9');
  });
});

describe('whatever came before, it decides what is decided without that', () => {
  // What did not change is the same claim, as it is for who goes by the objects of a catalog.
  const createClaims = (): ((entries: Parameters<typeof catalogWith>[0]) => Claim[]) => {
    const known = new Map<string, Claim[]>();
    const ofService = (service: Service): Claim[] => {
      const name = JSON.stringify(service, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
      const claims = known.get(name) ?? claimsOf(service, (_service, port) => port);
      known.set(name, claims);
      return claims;
    };
    return (entries) => catalogWith(entries).services.flatMap(ofService);
  };

  test('of few services that meet at ports and routes', () => {
    const anyRound = fc.record({
      entries: anyEntries,
      barred: anyBarred,
      hasEntrance: fc.boolean(),
      mostListeners: fc.constantFrom(2, 5_000),
      isRepeated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyRound, { maxLength: 6 }), (rounds) => {
        const decide = createModeler();
        const claimsOfAll = createClaims();
        let held: readonly HeldListener[] = [];
        for (const { entries, barred, isRepeated, ...round } of rounds) {
          const reasons = new Map(barred);
          const whyBarred: ModelInput['whyBarred'] = (port) => {
            const reason = reasons.get(port);
            return reason === undefined ? null : { reason, byPolicy: false };
          };
          const input = inputWith({ ...round, whyBarred, claims: claimsOfAll(entries) });
          for (const given of isRepeated ? [input, input] : [input]) {
            const now = { ...given, held };
            const model = decide(now);
            expect(model).toEqual(modelOf(now));
            held = model.listeners;
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of services that come, go and move, each with a port of its own', () => {
    const ports = { api: 8000, db: 5432, web: 80 };
    const anyEntry = fc.record({
      service: fc.constantFrom('api', 'db', 'web'),
      address: fc.record({ host: fc.constant('10.0.0.1'), port: fc.integer({ min: 1, max: 3 }) }),
      httpHosts: fc.constantFrom([], ['shop.example']),
    });
    const anyRound = fc.record({
      entries: fc.uniqueArray(anyEntry, { selector: ({ service }) => service, minLength: 1, maxLength: 3 }),
      hasEntrance: fc.boolean(),
      mostListeners: fc.constantFrom(2, 5_000, 5_000),
      others: fc.oneof(fc.constant(null), fc.constant(null), anyHeld),
    });
    fc.assert(
      fc.property(fc.array(anyRound, { maxLength: 10 }), (rounds) => {
        const decide = createModeler();
        const claimsOfAll = createClaims();
        let held: readonly HeldListener[] = [];
        for (const { entries, others, ...round } of rounds) {
          const claims = claimsOfAll(
            entries.map((entry) => entryWith({ ...entry, id: 'a', mode: 'http', servicePort: ports[entry.service] })),
          );
          const input = inputWith({ ...round, claims, held: others ?? held });
          const model = decide(input);
          expect(model).toEqual(modelOf(input));
          held = model.listeners;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

test('what lingers is decided each time, so that it comes to its end', () => {
  const decide = createModeler();
  const first = decide(inputWith({ claims: claimsWith([web, api]) }));
  const gone = decide(inputWith({ claims: claimsWith([web]), held: first.listeners }));
  expect(gone.listeners.map(({ name }) => name)).toEqual(['api:8000', 'web:80']);
  const later = inputWith({ claims: claimsWith([web]), held: gone.listeners, nowMs: 1_060_000 });
  expect(decide(later).listeners.map(({ name }) => name)).toEqual(['web:80']);
});

test('a port that another process took is seen at once', () => {
  const decide = createModeler();
  const claims = claimsWith([web, api]);
  const first = decide(inputWith({ claims }));
  const whyBarred: ModelInput['whyBarred'] = (port) =>
    port === 80 ? { reason: 'is taken by another process', byPolicy: false } : null;
  const { listeners, refused } = decide(inputWith({ claims, held: first.listeners, whyBarred }));
  expect(listeners.map(({ name }) => name)).toEqual(['api:8000']);
  expect(refused.map(({ key }) => key)).toEqual(['web:80']);
});
