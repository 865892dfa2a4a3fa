import { expect, test } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { explanationOf, type Explanation } from '../../../src/core/explanation.js';
import { accept, reject } from '../../../src/core/result.js';
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
    standing: accept(new Map(Object.entries(standing))),
  });
}

test.each([
  [{ [key]: value }, true, 'registered', null],
  [{ [key]: `${value}&state=drain` }, true, 'registered, and drains: its stop was announced', null],
  [
    { [key]: `${value}&weight=5` },
    false,
    `in etcd with another value, ${value}&weight=5`,
    'is docker-register up to date, with the same settings as this? Its log tells; docker-register doctor too',
  ],
  [
    {},
    false,
    'not in etcd: docker-register does not run, does not reach etcd, or keeps it out (CHANGE_RATE)',
    'docker-register doctor tells whether it runs and reaches etcd, its log whether it keeps the container out',
  ],
])('a port whose key is %j: %s, %s', (standing, isRegistered, state, mend) => {
  const { container, id, image, registrations, skipped, misread } = explain({}, { standing });
  expect([container, id, image]).toEqual(['whoami-1', '0123456789ab', 'jwilder/whoami:latest']);
  expect(registrations).toEqual([{ key, value, isRegistered, state, mend, signedBy: null }]);
  expect([skipped, misread]).toEqual([[], []]);
});

test('a port whose address another container has by now', () => {
  const newer = containerWith({
    id: containerId('fedcba9876543210'),
    name: 'newer',
    startedAt: '2026-11-24T11:05:00Z',
  });
  expect(explain({}, { running: [newer, containerWith()] }).registrations).toMatchObject([
    {
      isRegistered: false,
      state: 'its address belongs to container newer of this host',
      mend: 'stop the one of the two that is not meant, or have newer expose other ports than this one',
    },
  ]);
});

test('ports that are left out, and labels that are not understood', () => {
  const explanation = explain({
    ports: [publishedPort(53, 53, 'udp'), publishedPort(80)],
    labels: new Map([['SERVICE_WEIGHT', 'heavy']]),
  });
  expect(explanation.registrations).toHaveLength(1);
  expect(explanation.skipped).toEqual([
    {
      port: '53/udp',
      reason: 'only TCP is proxied, and this is UDP',
      mend: 'nothing: clients must know the address of its host',
    },
  ]);
  expect(explanation.misread).toEqual([
    { source: 'label SERVICE_WEIGHT', value: 'heavy', allowed: 'a number from 1 to 256' },
  ]);
});

test.each<[Partial<ContainerSnapshot>, string | null, RegExp, RegExp]>([
  [{ status: 'paused' }, null, /^it is paused$/, /^docker unpause whoami-1$/],
  [{ status: 'stopped' }, null, /^it is stopped$/, /^docker start whoami-1$/],
  [{ status: 'restarting' }, null, /^it is restarting$/, /docker logs whoami-1 tells why/],
  [{ health: 'unhealthy' }, null, /says unhealthy/, /^mend what it checks; docker inspect .* whoami-1 shows/],
  [{ health: 'starting' }, null, /has not passed yet/, /registered when it passes/],
  [
    { labels: new Map([['SERVICE_IGNORE', '1']]) },
    null,
    /^label SERVICE_IGNORE is set$/,
    /^start the container without it$/,
  ],
  [
    { labels: new Map([['SERVICE_8000_IGNORE', '1']]) },
    '8000/tcp',
    /^label SERVICE_8000_IGNORE is set$/,
    /^start the container without it$/,
  ],
  [{ ports: [] }, null, /^it publishes no port$/, /^start it with -p PORT$/],
  [{ ports: [], hostNetwork: true }, null, /exposes no port$/, /--expose PORT/],
  [
    { ports: [{ ...publishedPort(8000), published: [] }] },
    '8000/tcp',
    /exposed, but not published$/,
    /^start the container with -p 8000$/,
  ],
  [
    { ports: [{ ...publishedPort(8000), published: [{ hostIp: '127.0.0.1', hostPort: 8000 }] }] },
    '8000/tcp',
    /on loopback only/,
    /^publish it without an address, -p 8000, or on that of HOST_IP, -p 10\.170\.71\.226::8000$/,
  ],
  [
    { ports: [{ ...publishedPort(8000), published: [{ hostIp: '::', hostPort: 8000 }] }] },
    '8000/tcp',
    /for IPv6 only, and HOST_IP is IPv4/,
    /HOST_IP that is IPv6/,
  ],
  [{ labels: new Map([['SERVICE_NAME', 'a b']]) }, '8000/tcp', /is not a service name/, /label SERVICE_NAME/],
])('a container that is left out for %j: the reason and the mend', (container, port, reason, mend) => {
  expect(explain(container).skipped).toEqual([
    {
      port,
      reason: expect.stringMatching(reason) as unknown,
      mend: expect.stringMatching(mend) as unknown,
    },
  ]);
});

test('the other container that has the SERVICE_ID is named', () => {
  const labels = new Map([['SERVICE_ID', 'one']]);
  const other = containerWith({
    id: containerId('f'),
    name: 'newer',
    startedAt: '2026-11-24T11:05:00Z',
    labels,
    ports: [publishedPort(8000, 50_000)],
  });
  expect(explain({ labels }, { running: [other] }).registrations).toMatchObject([
    {
      state: 'its SERVICE_ID belongs to container newer of this host',
      mend: 'give each container a SERVICE_ID of its own, or none',
    },
  ]);
});

test('without etcd, what Docker alone can tell is told', () => {
  const without = { policy: policyWith(), prefix, running: [], standing: reject('no connection') };
  expect(explanationOf(containerWith(), without)).toMatchObject({
    etcd: 'no connection',
    registrations: [
      {
        key,
        value,
        isRegistered: null,
        state: 'not known: etcd does not answer',
        mend: 'docker-register doctor tells why',
      },
    ],
  });
  expect(explanationOf(containerWith({ status: 'paused' }), without)).toMatchObject({
    etcd: 'no connection',
    skipped: [{ reason: 'it is paused' }],
  });
});

test('a container that has the network of another, also where that one is not asked about', () => {
  const owner = containerWith({ id: containerId('a'), name: 'owner' });
  const guest = { networkOf: 'owner', ports: [publishedPort(8000)] };
  expect(explain(guest, { running: [owner] }).registrations).toMatchObject([{ key }]);
  expect(explain(guest).skipped).toMatchObject([{ reason: expect.stringContaining('which does not run') as string }]);
});

test('a value that somebody else wrote is told of in ASCII, and cut', () => {
  const { registrations } = explain({}, { standing: { [key]: `\u001b[2J\u009b${'x'.repeat(1_000)}` } });
  expect(registrations[0]?.state).toMatch(/^in etcd with another value, \\u001b\[2J\\u009bx{100,200}…$/);
});
