import { describe, expect, test } from 'vitest';
import {
  signalNumberOf,
  snapshotOf as snapshotWithin,
  type InspectedContainer,
} from '../../../../src/adapters/docker/map-inspect.js';
import type { ContainerSnapshot } from '../../../../src/core/container.js';
import { containerWith } from '../../support/containers.js';
import { inspected } from '../../support/inspected.js';

const limits = { ports: 500, labelBytes: 1_000 };

function snapshotOf(container: InspectedContainer): ContainerSnapshot {
  return snapshotWithin(container, limits);
}

const everywhere = [
  { HostIp: '0.0.0.0', HostPort: '49153' },
  { HostIp: '::', HostPort: '49153' },
];

describe('a container as the engine tells it', () => {
  test('by Docker 20.10, with null for what it has not', () => {
    const container = inspected({
      State: { Restarting: false, Health: null },
      Config: { Labels: {}, Env: null, ExposedPorts: { '8000/tcp': {} }, StopSignal: null },
      Ports: { '8000/tcp': everywhere },
    });
    expect(snapshotOf(container)).toEqual(containerWith({ image: 'jwilder/whoami', networks: new Map() }));
  });

  test('by Docker 29, which leaves out what it has not', () => {
    const container = inspected({ Ports: { '8000/tcp': everywhere } });
    expect(snapshotOf(container)).toEqual(containerWith({ image: 'jwilder/whoami', networks: new Map() }));
  });

  test('by an engine that leaves out the ports', () => {
    expect(snapshotOf(inspected({ Ports: null })).ports).toEqual([]);
  });

  test('with labels and environment, values with = in them too', () => {
    const { labels, environment } = snapshotOf(
      inspected({ Config: { Labels: { 'com.example.a': '1' }, Env: ['A=b', 'OPTS=x=1 y=2', 'EMPTY=', 'BARE'] } }),
    );
    expect([...labels]).toEqual([['com.example.a', '1']]);
    expect([...environment]).toEqual([
      ['A', 'b'],
      ['OPTS', 'x=1 y=2'],
      ['EMPTY', ''],
      ['BARE', ''],
    ]);
  });
});

describe('its HEALTHCHECK', () => {
  const healthy = { Health: { Status: 'healthy' } };
  const own = (Healthcheck: NonNullable<InspectedContainer['Config']['Healthcheck']> | null): InspectedContainer =>
    inspected({ State: healthy, Config: { Healthcheck } });

  test.each([
    [
      'with all that it has',
      { Test: ['CMD', 'wget', 'http://localhost/'], Interval: 5e9, Timeout: 1.5e9, Retries: 2 },
      { command: 'wget http://localhost/', intervalMs: 5_000, timeoutMs: 1_500, retries: 2 },
    ],
    [
      'with Docker’s defaults for what it leaves out',
      { Test: ['CMD-SHELL', 'true'] },
      { command: 'true', intervalMs: 30_000, timeoutMs: 30_000, retries: 3 },
    ],
    [
      'with the same for 0',
      { Test: ['CMD-SHELL', 'true'], Interval: 0, Timeout: 0, Retries: 0 },
      { command: 'true', intervalMs: 30_000, timeoutMs: 30_000, retries: 3 },
    ],
    [
      'without its words where they are too many',
      { Test: ['CMD-SHELL', 'x'.repeat(1025)] },
      { command: '', intervalMs: 30_000, timeoutMs: 30_000, retries: 3 },
    ],
    ['not where it is turned off', { Test: ['NONE'] }, null],
    ['not where it has no words', { Test: [] }, null],
    ['not where the engine does not tell it', null, null],
  ])('%s', (_what, healthcheck, expected) => {
    expect(snapshotOf(own(healthcheck)).healthCheck).toEqual(expected);
  });

  test('counts only where the engine tells how it is', () => {
    const container = inspected({ State: { Health: null }, Config: { Healthcheck: { Test: ['CMD', 'true'] } } });
    expect(snapshotOf(container).healthCheck).toBeNull();
  });
});

describe('its ports', () => {
  test.each([
    ['for IPv4 and IPv6', everywhere, ['0.0.0.0 49153', ':: 49153']],
    ['on a named address', [{ HostIp: '10.1.2.3', HostPort: '80' }], ['10.1.2.3 80']],
    ['on loopback only', [{ HostIp: '127.0.0.1', HostPort: '80' }], ['127.0.0.1 80']],
    ['with an empty address, which means every one', [{ HostIp: '', HostPort: '80' }], ['0.0.0.0 80']],
    ['on a port that is not yet known', [{ HostIp: '0.0.0.0', HostPort: '' }], []],
    ['exposed only', null, []],
  ])('published %s', (_what, bindings, published) => {
    const [port] = snapshotOf(inspected({ Ports: { '8000/tcp': bindings } })).ports;
    expect(port?.published.map(({ hostIp, hostPort }) => `${hostIp} ${String(hostPort)}`)).toEqual(published);
  });

  test('are none where they have another form than Docker’s', () => {
    const names = ['0/tcp', '65536/tcp', '080/tcp', '80/tcp\n', `80/${'x'.repeat(9)}`, '80/\u001b[2J', '/tcp'];
    expect(snapshotOf(inspected({ Ports: Object.fromEntries(names.map((name) => [name, everywhere])) })).ports).toEqual(
      [],
    );
  });

  test.each([
    ['not-an-address', '80', []],
    ['10.1.2.3 ', '80', []],
    ['10.1.2.3', '65536', []],
    ['10.1.2.3', '80x', []],
    ['2001:DB8:0::9', '80', ['2001:db8::9 80']],
  ])('published on %j, port %j', (HostIp, HostPort, published) => {
    const [port] = snapshotOf(inspected({ Ports: { '8000/tcp': [{ HostIp, HostPort }] } })).ports;
    expect(port?.published.map(({ hostIp, hostPort }) => `${hostIp} ${String(hostPort)}`)).toEqual(published);
  });

  test('are the exposed and the published ones, sorted, each once', () => {
    const container = inspected({
      Config: { ExposedPorts: { '8000/tcp': {}, '53/udp': {} } },
      Ports: { '8000/tcp': everywhere, '443/tcp': everywhere },
    });
    const ports = snapshotOf(container).ports.map(
      ({ containerPort, protocol }) => `${String(containerPort)}/${protocol}`,
    );
    expect(ports).toEqual(['53/udp', '443/tcp', '8000/tcp']);
  });

  test('are the exposed ones with host networking', () => {
    const { hostNetwork, ports } = snapshotOf(
      inspected({ HostConfig: { NetworkMode: 'host' }, Config: { ExposedPorts: { '8000/tcp': {} } } }),
    );
    expect(hostNetwork).toBe(true);
    expect(ports).toEqual([{ containerPort: 8000, protocol: 'tcp', published: [] }]);
  });

  test.each(['bridge', 'default', 'hosting', 'container:abc', undefined])('network mode %s is not host', (mode) => {
    expect(snapshotOf(inspected({ HostConfig: { NetworkMode: mode } })).hostNetwork).toBe(false);
  });
});

test.each([
  ['running', { Running: true, Paused: false }],
  ['paused', { Running: true, Paused: true }],
  ['stopped', { Running: false, Paused: false }],
  ['restarting', { Running: true, Paused: false, Restarting: true }],
])('it is %s: %j', (status, state) => {
  expect(snapshotOf(inspected({ State: state })).status).toBe(status);
});

test.each([
  ['starting', { Status: 'starting' }],
  ['healthy', { Status: 'healthy' }],
  ['unhealthy', { Status: 'unhealthy' }],
  ['none', { Status: 'none' }],
  ['none', { Status: '' }],
  ['none', null],
  ['none', undefined],
])('its health is %s: %j', (health, reported) => {
  expect(snapshotOf(inspected({ State: { Health: reported } })).health).toBe(health);
});

test.each([
  ['SIGTERM', 15],
  ['SIGQUIT', 3],
  ['QUIT', 3],
  ['sigwinch', 28],
  ['3', 3],
  ['9', 9],
  ['RTMIN', 34],
  ['RTMIN+3', 37],
  ['SIGRTMIN+3', 37],
  ['RTMAX', 64],
  ['SIGRTMAX-2', 62],
])('stop signal %s is number %d', (name, number) => {
  expect(signalNumberOf(name)).toBe(number);
});

test('a stop signal that nobody knows is taken for SIGTERM', () => {
  expect(signalNumberOf('SIGNONSENSE')).toBe(15);
  expect(snapshotOf(inspected({ Config: { StopSignal: 'SIGRTMIN+3' } })).stopSignal).toBe(37);
});

test.each([
  ['container:0123456789ab', '0123456789ab'],
  ['host', null],
  [undefined, null],
])('network mode %s shares the network of %s', (mode, networkOf) => {
  expect(snapshotOf(inspected({ HostConfig: { NetworkMode: mode } })).networkOf).toBe(networkOf);
});

test('its addresses are told by network, IPv4 first, without those that it has not', () => {
  const networks = {
    lan: { IPAddress: '10.0.0.5', GlobalIPv6Address: '2001:db8::5' },
    six: { IPAddress: '', GlobalIPv6Address: '2001:db8::6' },
    none: { IPAddress: '', GlobalIPv6Address: '' },
    late: null,
  };
  expect(snapshotOf(inspected({ Networks: networks })).networks).toEqual(
    new Map([
      ['lan', ['10.0.0.5', '2001:db8::5']],
      ['six', ['2001:db8::6']],
      ['none', []],
      ['late', []],
    ]),
  );
});

describe('more than the limits', () => {
  test('of ports leaves the lowest, and tells how many there are beside them', () => {
    const ExposedPorts = Object.fromEntries(
      Array.from({ length: 50_000 }, (_, n) => [`${String(50_000 - n)}/tcp`, {}]),
    );
    const { ports, beyond } = snapshotOf(inspected({ Config: { ExposedPorts } }));
    expect(ports.map(({ containerPort }) => containerPort)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
    expect(beyond).toEqual({ ports: 49_500, labelBytes: null });
  });

  test.each([
    ['labels', { Labels: { a: 'x'.repeat(1_000) } }, 1_001],
    ['variables', { Env: [`A=${'x'.repeat(999)}`] }, 1_001],
    ['both', { Labels: { a: 'x'.repeat(500) }, Env: [`A=${'x'.repeat(499)}`] }, 1_002],
  ])('of %s keeps none of either, and tells how much it was', (_what, Config, bytes) => {
    const { labels, environment, beyond } = snapshotOf(inspected({ Config }));
    expect([labels.size, environment.size, beyond]).toEqual([0, 0, { ports: 0, labelBytes: bytes }]);
  });
});
