import { beforeEach, expect, test } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { explanationOf } from '../../../src/core/explanation.js';
import { createDesiredKeys } from '../../../src/daemon/desired-keys.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { recordingLog } from '../support/log.js';
import { policyWith, prefix } from '../support/registrations.js';
import { accept } from '../../../src/core/result.js';

const policy = policyWith({ limits: { registrations: 2, ports: 2, labelBytes: 1_000 } });
let containers: ContainerSnapshot[];
let recorded: ReturnType<typeof recordingLog>;

beforeEach(() => {
  containers = [];
  recorded = recordingLog();
});

/** The n-th that was started. */
function container(n: number, changes: Partial<ContainerSnapshot> = {}): ContainerSnapshot {
  return containerWith({
    id: containerId(`${String(n)}${'a'.repeat(11)}`),
    name: `c${String(n)}`,
    startedAt: `2026-11-23T11:05:0${String(n)}.1Z`,
    ports: [publishedPort(8000, 40_000 + n)],
    ...changes,
  });
}

function desire(): ReturnType<typeof createDesiredKeys> {
  const view = {
    note: () => undefined,
    noteAll: () => undefined,
    refresh: () => Promise.resolve(null),
    unknown: () => new Set<string>(),
    snapshots: () => containers,
    isStopping: () => false,
    eventTimes: () => new Map<string, number>(),
    forgetTimes: () => undefined,
  };
  return createDesiredKeys({ prefix, policy, view, changeRate: 0, log: recorded.log });
}

const names = (keys: ReadonlyMap<string, string>): string => [...keys.keys()].map((key) => key.charAt(17)).join('');

test('beyond the limit of the host those that run the longest are registered, and it is said once, and when it is over', () => {
  const look = desire();
  containers = [container(4), container(3), container(2), container(1)];
  const { keys, leftOut } = look();
  expect([names(keys), leftOut.beyond]).toEqual(['12', { registrations: 2, ports: 0, label_bytes: 0 }]);
  expect(leftOut.skipped).toEqual(new Map([['limit', 2]]));
  look();
  expect(recorded.messages('warn')).toEqual([expect.stringContaining('more registrations than MAX_REGISTRATIONS')]);
  containers = containers.slice(1, 3);
  expect(names(look().keys)).toBe('32');
  expect(recorded.messages('info')).toEqual(['no more registrations than MAX_REGISTRATIONS']);
});

test('a container with too much of its own is counted by the limit, and its owner warned', () => {
  containers = [
    container(1, { beyond: { ports: 9, labelBytes: null } }),
    container(2, { beyond: { ports: 0, labelBytes: 10_000_000 } }),
  ];
  const { keys, leftOut } = desire()();
  expect([names(keys), leftOut.beyond]).toEqual(['1', { registrations: 0, ports: 9, label_bytes: 1 }]);
  expect(recorded.messages('warn')).toEqual(['skipped', 'skipped']);
});

test('explain says why one is left out', () => {
  containers = [container(3), container(2), container(1)];
  const [last] = containers;
  if (last === undefined) throw new Error('there are three');
  const { registrations } = explanationOf(last, { policy, prefix, running: containers, standing: accept(new Map()) });
  expect(registrations).toMatchObject([
    { isRegistered: false, state: expect.stringContaining('(MAX_REGISTRATIONS)') as string },
  ]);
});
