import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { unsealed } from '../../../src/core/signature.js';
import { createDesiredKeys } from '../../../src/daemon/desired-keys.js';
import { createLeaseKeeper } from '../../../src/daemon/lease-keeper.js';
import { createRegistrar } from '../../../src/daemon/registrar.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { FakeView } from '../support/container-view.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingLog } from '../support/log.js';
import { recordingMeter } from '../support/meter.js';
import { policyWith, prefix } from '../support/registrations.js';

const policy = policyWith();
const digits = ['a', 'b', 'c', 'd'];

interface Round {
  /** What runs; two may have the same SERVICE_ID, and lose it to each other. */
  readonly running: readonly { readonly digit: string; readonly port: number; readonly named: boolean }[];
  readonly stopping: readonly string[];
  /** What becomes of the lease, or of a question to etcd. */
  readonly fault: 'none' | 'lease lost' | 'answer lost' | 'list' | 'listOwn' | 'apply' | 'review';
}

const aRound: fc.Arbitrary<Round> = fc.record({
  running: fc.uniqueArray(
    fc.record({ digit: fc.constantFrom(...digits), port: fc.integer({ min: 1, max: 3 }), named: fc.boolean() }),
    { selector: ({ digit }) => digit },
  ),
  stopping: fc.subarray(digits),
  fault: fc.oneof(
    { weight: 5, arbitrary: fc.constant('none' as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom('lease lost' as const, 'answer lost', 'list', 'listOwn', 'apply', 'review'),
    },
  ),
});

/** What is as it was is the same object. */
const snapshots = new Map<string, ContainerSnapshot>();

function containerOf(one: Round['running'][number]): ContainerSnapshot {
  const known = snapshots.get(JSON.stringify(one)) ?? newContainer(one);
  snapshots.set(JSON.stringify(one), known);
  return known;
}

function newContainer({ digit, port, named }: Round['running'][number]): ContainerSnapshot {
  return containerWith({
    id: containerId(digit.repeat(12)),
    name: digit,
    ports: [publishedPort(8000, 40_000 + port)],
    labels: new Map(named ? [['SERVICE_ID', 'named']] : []),
  });
}

test('whatever happens, what stands in etcd after a round that went well is what should', async () => {
  const oneRun = async (rounds: readonly Round[]): Promise<void> => {
    const { signal } = new AbortController();
    const [registry, fake, { log }, { meter }] = [new FakeRegistry(), new FakeView(), recordingLog(), recordingMeter()];
    const keeper = createLeaseKeeper({ registry, ttlMs: 15_000, log });
    const options = { prefix, policy, view: fake.view, changeRate: 0, log };
    const touched = new Set<string>();
    const takeTouched = (): Set<string> => {
      const taken = new Set(touched);
      touched.clear();
      return taken;
    };
    const desiredKeys = createDesiredKeys({ ...options, view: { ...fake.view, takeTouched } });
    const registrar = createRegistrar({ registry, prefix, policy, desiredKeys, keeper, seal: unsealed, log, meter });
    for (const { running, stopping, fault } of rounds) {
      const before = { containers: new Set(fake.containers), stopping: fake.stopping };
      fake.containers = running.map(containerOf);
      fake.stopping = new Set(stopping.map((digit) => containerId(digit.repeat(12))));
      const now = new Set(fake.containers);
      for (const container of [...before.containers, ...now])
        if (before.containers.has(container) !== now.has(container)) touched.add(container.id);
      for (const id of [...before.stopping, ...fake.stopping])
        if (before.stopping.has(id) !== fake.stopping.has(id)) touched.add(id);
      if (fault === 'review') registrar.review();
      else if (fault === 'lease lost') for (const lease of registry.leases) registry.expire(lease);
      else if (fault === 'answer lost') registry.losesAnswers = true;
      else if (fault !== 'none') registry.failOn(fault);
      const wentWell = await registrar.reconcile(['test'], signal).then(
        () => true,
        () => false,
      );
      registry.recover();
      if (!wentWell) continue;
      // What went with a lease comes back when the keeper finds out, or a transaction does.
      if (registry.leases.has(keeper.peek() ?? '')) {
        expect(registry.values()).toEqual(Object.fromEntries(createDesiredKeys(options).look().keys));
        expect(registrar.count()).toBe(registry.entries.size);
      } else registrar.review();
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(aRound, { maxLength: 12 }), oneRun), { numRuns: 300 });
});
