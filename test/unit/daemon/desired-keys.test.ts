import { beforeEach, expect, test } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { explanationOf } from '../../../src/core/explanation.js';
import { createDesiredKeys, type DesiredKeys } from '../../../src/daemon/desired-keys.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { FakeView } from '../support/container-view.js';
import { recordingLog } from '../support/log.js';
import { policyWith, prefix } from '../support/registrations.js';
import { accept } from '../../../src/core/result.js';

const policy = policyWith({ limits: { registrations: 2, ports: 2, labelBytes: 1_000 } });
let fake: FakeView;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(() => {
  fake = new FakeView();
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

function desire(): DesiredKeys {
  return createDesiredKeys({ prefix, policy, view: fake.view, changeRate: 0, log: recorded.log });
}

const names = (keys: ReadonlyMap<string, string>): string => [...keys.keys()].map((key) => key.charAt(17)).join('');

test('beyond the limit of the host those that run the longest are registered, and it is said once, and when it is over', () => {
  const desired = desire();
  fake.containers = [container(4), container(3), container(2), container(1)];
  expect(names(desired.look().keys)).toBe('12');
  const leftOut = desired.leftOut();
  expect(leftOut.beyond).toEqual({ registrations: 2, ports: 0, label_bytes: 0 });
  expect(leftOut.skipped).toEqual(new Map([['limit', 2]]));
  desired.look();
  expect(recorded.messages('warn')).toEqual([expect.stringContaining('more registrations than MAX_REGISTRATIONS')]);
  fake.containers = fake.containers.slice(1, 3);
  expect(names(desired.look().keys)).toBe('32');
  expect(recorded.messages('info')).toEqual(['no more registrations than MAX_REGISTRATIONS']);
});

test('a container with too much of its own is counted by the limit, and its owner warned', () => {
  fake.containers = [
    container(1, { beyond: { ports: 9, labelBytes: null } }),
    container(2, { beyond: { ports: 0, labelBytes: 10_000_000 } }),
  ];
  const desired = desire();
  expect(names(desired.look().keys)).toBe('1');
  expect(desired.leftOut().beyond).toEqual({ registrations: 0, ports: 9, label_bytes: 1 });
  expect(recorded.messages('warn')).toEqual(['skipped', 'skipped']);
});

test('explain says why one is left out', () => {
  const last = container(3);
  const running = [last, container(2), container(1)];
  const { registrations } = explanationOf(last, { policy, prefix, running, standing: accept(new Map()) });
  expect(registrations).toMatchObject([
    { isRegistered: false, state: expect.stringContaining('(MAX_REGISTRATIONS)') as string },
  ]);
});

test('who lost a SERVICE_ID to another is told once, and again when it is so again', () => {
  const desired = desire();
  const named = new Map([['SERVICE_ID', 'same']]);
  const both = [container(1, { labels: named }), container(2, { labels: named })];
  for (const containers of [both, both, both.slice(0, 1), both]) {
    fake.containers = containers;
    desired.look();
  }
  const told = recorded.lines.filter(({ msg }) => msg === 'skipped');
  expect(told.map(({ level, container: name, reason }) => [level, name, reason])).toEqual(
    Array.from({ length: 2 }, () => ['warn', 'c1', 'its SERVICE_ID belongs to container c2 of this host']),
  );
});
