import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { createContainerView, type ContainerView } from '../../../src/daemon/container-view.js';
import { createDesiredKeys, type DesiredKeys } from '../../../src/daemon/desired-keys.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { FakeEngine } from '../support/fake-engine.js';
import { recordingLog } from '../support/log.js';
import { policyWith, prefix } from '../support/registrations.js';

/** Few of all, so that they are in each other's way. */
const ids = ['a', 'b', 'c', 'd', 'e'].map((digit) => containerId(digit.repeat(12)));
const limits = { registrations: 3, ports: 3, labelBytes: 1_000 };

const anId = fc.constantFrom(...ids);
const aContainer: fc.Arbitrary<ContainerSnapshot> = fc
  .record({
    id: anId,
    startedSecond: fc.integer({ min: 0, max: 9 }),
    ports: fc.uniqueArray(fc.tuple(fc.constantFrom(8000, 8001, 8002), fc.integer({ min: 40_000, max: 40_004 })), {
      selector: ([containerPort]) => containerPort,
      maxLength: 3,
    }),
    serviceId: fc.constantFrom(null, null, 'one', 'two'),
    owner: fc.option(anId, { freq: 4 }),
    status: fc.constantFrom('running' as const, 'running' as const, 'paused' as const),
  })
  .map(({ id, startedSecond, ports, serviceId, owner, status }) =>
    containerWith({
      id,
      name: `c${id.charAt(0)}`,
      startedAt: `2026-11-23T11:05:0${String(startedSecond)}.1Z`,
      ports: ports.map(([containerPort, hostPort]) => publishedPort(containerPort, hostPort)),
      labels: new Map(serviceId === null ? [] : [['SERVICE_ID', serviceId]]),
      networkOf: owner === id ? null : owner,
      status,
    }),
  );

type Step =
  | { readonly kind: 'start'; readonly container: ContainerSnapshot }
  | { readonly kind: 'stop' | 'die'; readonly id: string }
  | { readonly kind: 'resync' | 'settle' };

const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('start' as const), container: aContainer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('stop' as const, 'die' as const), id: anId }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('resync' as const, 'settle' as const) }) },
);

function take(
  step: Step,
  { engine, view, desired }: { engine: FakeEngine; view: ContainerView; desired: DesiredKeys },
): void {
  const tell = (id: string, action: string, signalNumber: number | null): void => {
    view.note({ id, action, signal: signalNumber, atMs: 1_764_206_411_000 + engine.calls.length });
  };
  if (step.kind === 'start') {
    engine.set(step.container);
    tell(step.container.id, 'start', null);
  } else if (step.kind === 'die') {
    engine.containers.delete(step.id);
    tell(step.id, 'die', null);
  } else if (step.kind === 'stop') tell(step.id, 'kill', 15);
  else if (step.kind === 'resync') view.noteAll();
  else desired.settle();
}

const sorted = <T>(map: ReadonlyMap<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** Each look follows from the last; one that knows nothing of it must come to the same. */
test('whatever happens, what is desired is what a daemon would desire that has just started', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(aStep, { minLength: 1, maxLength: 3 }), { maxLength: 25 }), async (rounds) => {
      const engine = new FakeEngine();
      const { log } = recordingLog();
      const view = createContainerView(engine, log);
      const options = { prefix, policy: policyWith({ limits }), changeRate: 0, log };
      const desired = createDesiredKeys({ ...options, view });
      let before = new Map<string, string>();
      for (const steps of rounds) {
        for (const step of steps) take(step, { engine, view, desired });
        await view.refresh(new AbortController().signal);
        const { keys, sources, changed } = desired.look();
        const fresh = createDesiredKeys({ ...options, view: { ...view, takeTouched: () => null } });
        const whole = fresh.look();
        expect(sorted(keys)).toEqual(sorted(whole.keys));
        expect(sorted(sources)).toEqual(sorted(whole.sources));
        expect(desired.leftOut()).toEqual(fresh.leftOut());
        if (changed !== null)
          for (const key of [...before.keys(), ...keys.keys()])
            if (before.get(key) !== keys.get(key)) expect(changed).toContain(key);
        before = new Map(keys);
      }
    }),
    { numRuns: 300 },
  );
});
