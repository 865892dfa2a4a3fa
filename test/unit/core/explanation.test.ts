import { expect, test } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { explanationOf, type Explanation } from '../../../src/core/explanation.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { policyWith, prefix } from '../support/registrations.js';

const key = '/backends/whoami/0123456789ab';
const value = '10.170.71.226:49153?port=8000';

function explain(
  container: Partial<ContainerSnapshot>,
  { standing = {}, running = [] }: { standing?: Record<string, string>; running?: ContainerSnapshot[] } = {},
): Explanation {
  return explanationOf(containerWith(container), {
    policy: policyWith(),
    prefix,
    running,
    standing: new Map(Object.entries(standing)),
  });
}

test.each([
  [{ [key]: value }, true, 'registered'],
  [{ [key]: `${value}&state=drain` }, true, 'registered, and drains: its stop was announced'],
  [
    { [key]: `${value}&weight=5` },
    false,
    `in etcd with another value, ${value}&weight=5: is docker-register up to date?`,
  ],
  [
    {},
    false,
    'not in etcd: docker-register does not run, does not reach etcd, or keeps it out (CHANGE_RATE); its log tells',
  ],
])('a port whose key is %j: %s, %s', (standing, isRegistered, state) => {
  const { container, id, image, registrations, skipped, misread } = explain({}, { standing });
  expect([container, id, image]).toEqual(['whoami-1', '0123456789ab', 'jwilder/whoami:latest']);
  expect(registrations).toEqual([{ key, value, isRegistered, state, signedBy: null }]);
  expect([skipped, misread]).toEqual([[], []]);
});

test('a port whose address another container has by now', () => {
  const newer = containerWith({ id: containerId('fedcba9876543210'), startedAt: '2026-11-24T11:05:00Z' });
  expect(explain({}, { running: [newer, containerWith()] }).registrations).toMatchObject([
    { isRegistered: false, state: 'its address belongs to another container of this host' },
  ]);
});

test('ports that are left out, and labels that are not understood', () => {
  const explanation = explain({
    ports: [publishedPort(53, 53, 'udp'), publishedPort(80)],
    labels: new Map([['SERVICE_WEIGHT', 'heavy']]),
  });
  expect(explanation.registrations).toHaveLength(1);
  expect(explanation.skipped).toEqual([{ port: '53/udp', reason: 'only TCP is proxied, and this is UDP' }]);
  expect(explanation.misread).toEqual([
    { source: 'label SERVICE_WEIGHT', value: 'heavy', allowed: 'a number from 1 to 256' },
  ]);
});

test('a container that is left out as a whole', () => {
  expect(explain({ status: 'paused' }).skipped).toEqual([{ port: null, reason: 'it is paused' }]);
});

test('a container that has the network of another, also where that one is not asked about', () => {
  const owner = containerWith({ id: containerId('a'), name: 'owner' });
  const guest = { networkOf: 'owner', ports: [publishedPort(8000)] };
  expect(explain(guest, { running: [owner] }).registrations).toMatchObject([{ key }]);
  expect(explain(guest).skipped).toMatchObject([{ reason: expect.stringContaining('which does not run') as string }]);
});

test('a value that somebody else wrote is told of in ASCII, and cut', () => {
  const { registrations } = explain({}, { standing: { [key]: `\u001b[2J\u009b${'x'.repeat(1_000)}` } });
  expect(registrations[0]?.state).toMatch(/^in etcd with another value, \\u001b\[2J\\u009bx{100,200}…: is /);
});
