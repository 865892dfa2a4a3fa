import fc from 'fast-check';
import { expect, test } from 'vitest';
import { modelOf } from '../../../../src/core/haproxy/model.js';
import { planOf, type Observed } from '../../../../src/core/haproxy/plan.js';
import { anyEntries } from '../../support/arbitraries.js';
import { configurationOf } from '../../support/models.js';
import { claimsWith } from '../../support/registrations.js';
import { carryOut, workerOf } from '../../support/workers.js';

const anyConfiguration = anyEntries.map((entries) =>
  configurationOf(
    modelOf({
      claims: claimsWith(entries),
      forbidden: [],
      mostListeners: 5_000,
      heldRevision: 1,
      held: [],
      hasEntrance: false,
      whyBarred: () => null,
      nowMs: 0,
      lingerMs: 0,
    }),
  ),
);
const byHand = fc.record(
  {
    address: fc.constantFrom('10.0.0.9:1', '[2001:db8::9]:2'),
    weight: fc.integer({ min: 0, max: 256 }),
    maint: fc.boolean(),
    drain: fc.boolean(),
    overdue: fc.boolean(),
    keywords: fc.constantFrom('check', 'check inter 1s', ''),
  },
  { requiredKeys: [] },
);
const anyObserved: fc.Arbitrary<Observed> = fc
  .tuple(fc.option(anyConfiguration), fc.array(byHand, { minLength: 1, maxLength: 8 }))
  .map(([loaded, changes]) => {
    if (loaded === null) return { loaded, servers: new Map() };
    let at = 0;
    return workerOf(loaded, () => changes[at++ % changes.length] ?? {});
  });

test('carried out again and again, plans lead from any state to nothing in at most four rounds', () => {
  fc.assert(
    fc.property(anyObserved, anyConfiguration, fc.integer({ min: 0, max: 2 }), (start, desired, busyRounds) => {
      let observed = start;
      const kinds: string[] = [];
      for (let round = 0; round < 4; round += 1) {
        const plan = planOf(observed, desired);
        kinds.push(plan.kind);
        observed = carryOut(plan, observed, desired, () => round < busyRounds);
      }
      expect(kinds.at(-1)).toBe('nothing');
      const wanted = [...desired.servers].map(([listener, lines]) => [
        listener,
        [...lines].map(([server, line]) => [server, line.address, line.weight]).sort(),
      ]);
      const got = [...desired.servers.keys()].map((listener) => [
        listener,
        [...(observed.servers.get(listener) ?? [])].map(([server, one]) => [server, one.address, one.weight]).sort(),
      ]);
      expect(got).toEqual(wanted);
    }),
    { numRuns: 300 },
  );
});

test('a plan never touches a server that is as it should be', () => {
  fc.assert(
    fc.property(anyObserved, anyConfiguration, (observed, desired) => {
      const plan = planOf(observed, desired);
      for (const { kind, listener, server } of plan.kind === 'nothing' ? [] : plan.steps) {
        const there = observed.servers.get(listener)?.get(server);
        const line = desired.servers.get(listener)?.get(server);
        const isIn = there?.maint === false && !there.drain;
        const isRight = there?.address === line?.address && there?.weight === line?.weight && isIn;
        expect(isRight, `${kind} ${listener}/${server}`).toBe(false);
        if (line !== undefined) expect(['maint', 'shutdown sessions', 'delete']).not.toContain(kind);
      }
    }),
    { numRuns: 300 },
  );
});
