import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContainerPort, ContainerSnapshot } from '../../../src/core/container.js';
import { formatValue, keyOf, parseKey, parseValue } from '../../../src/core/keyspace.js';
import { pairLabel, registrationsOf, type Registrations } from '../../../src/core/registrations.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { accepted } from '../support/parsed.js';
import { prefix, registrationWith } from '../support/registrations.js';

const hostIp = '10.170.71.226';

function register(changes: Partial<ContainerSnapshot>, ownIp = hostIp, stopping = false): Registrations {
  return registrationsOf(containerWith(changes), { hostIp: ownIp, naming: { kind: 'image' } }, stopping);
}

function addressesOf({ registrations }: Registrations): string[] {
  return registrations.map(({ address }) => `${address.host} ${String(address.port)}`);
}

function portOn(...hostIps: readonly string[]): ContainerPort {
  return {
    containerPort: 8000,
    protocol: 'tcp',
    published: hostIps.map((ip, index) => ({ hostIp: ip, hostPort: 49153 + index })),
  };
}

describe('a running container', () => {
  test('is registered under the first 12 digits of its id, at the port that it is published on', () => {
    expect(register({})).toEqual({ registrations: [registrationWith()], skipped: [] });
  });

  test('is registered once per port, the port in the id, when it has several', () => {
    const { registrations, skipped } = register({ ports: [publishedPort(80, 8080), publishedPort(443, 8443)] });
    expect(registrations.map(({ id, servicePort, address }) => [id, servicePort, address.port])).toEqual([
      ['0123456789ab:80', 80, 8080],
      ['0123456789ab:443', 443, 8443],
    ]);
    expect(skipped).toEqual([]);
  });

  test('keeps the plain id when only one of its ports is registered', () => {
    const { registrations, skipped } = register({ ports: [publishedPort(53, 53), publishedPort(53, 53, 'udp')] });
    expect(registrations.map(({ id }) => id)).toEqual(['0123456789ab']);
    expect(skipped).toEqual([{ containerPort: '53/udp', reason: 'only TCP is proxied, and this is UDP' }]);
  });

  test('drains while its stop is announced', () => {
    expect(register({}, hostIp, true).registrations).toEqual([registrationWith({ state: 'drain' })]);
  });

  test('is registered when its HEALTHCHECK passes', () => {
    expect(register({ health: 'healthy' }).registrations).toHaveLength(1);
  });
});

describe('the address of a port', () => {
  test.each([
    ['published everywhere', hostIp, portOn('0.0.0.0', '::'), '10.170.71.226 49153'],
    ['published everywhere, on a host of IPv6', '2001:db8::7', portOn('0.0.0.0', '::'), '2001:db8::7 49154'],
    ['published on HOST_IP, and everywhere', hostIp, portOn('0.0.0.0', hostIp), '10.170.71.226 49154'],
    ['published on another address of the host', hostIp, portOn('192.168.7.1'), '192.168.7.1 49153'],
    ['published on another address, and everywhere', hostIp, portOn('192.168.7.1', '0.0.0.0'), '10.170.71.226 49154'],
    ['published on loopback, and on HOST_IP', hostIp, portOn('127.0.0.1', hostIp), '10.170.71.226 49154'],
  ])('%s', (_what, ownIp, port, address) => {
    expect(addressesOf(register({ ports: [port] }, ownIp))).toEqual([address]);
  });

  test('is HOST_IP and the exposed port with host networking', () => {
    const exposed = { containerPort: 8000, protocol: 'tcp', published: [] };
    expect(addressesOf(register({ hostNetwork: true, ports: [exposed] }))).toEqual(['10.170.71.226 8000']);
  });
});

describe('left out, with the reason, is', () => {
  test.each<[string, Partial<ContainerSnapshot>, string]>([
    ['a paused container', { status: 'paused' }, 'it is paused'],
    ['a stopped container', { status: 'stopped' }, 'it is stopped'],
    ['a container that is not healthy yet', { health: 'starting' }, 'its HEALTHCHECK has not passed yet'],
    ['an unhealthy container', { health: 'unhealthy' }, 'its HEALTHCHECK says unhealthy'],
    ['a container without ports', { ports: [] }, 'it publishes no port; start it with -p'],
    [
      'one on the host network that exposes nothing',
      { hostNetwork: true, ports: [] },
      'its image exposes no port; start it with --expose',
    ],
    ['a container whose image has no name', { image: '444444444444' }, 'its image is named by id alone'],
    [
      'a container of the pair itself',
      { labels: new Map([[pairLabel, 'register']]) },
      'it is part of the pair itself (label docker-discover.pair=register)',
    ],
  ])('%s', (_what, changes, reason) => {
    const { registrations, skipped } = register(changes);
    expect(registrations).toEqual([]);
    expect(skipped).toEqual([{ containerPort: null, reason: expect.stringContaining(reason) as string }]);
  });

  test.each([
    ['a UDP port', publishedPort(53, 53, 'udp'), '53/udp', 'only TCP is proxied, and this is UDP'],
    ['an SCTP port', publishedPort(9, 9, 'sctp'), '9/sctp', 'only TCP is proxied, and this is SCTP'],
    [
      'a port that is only exposed',
      { containerPort: 8000, protocol: 'tcp', published: [] },
      '8000/tcp',
      'it is exposed, but not published; start the container with -p',
    ],
    [
      'a port that is published on loopback only',
      portOn('127.0.0.1', '::1'),
      '8000/tcp',
      'it is published on loopback only, where no other host reaches it',
    ],
  ])('%s', (_what, port, containerPort, reason) => {
    expect(register({ ports: [port] })).toEqual({ registrations: [], skipped: [{ containerPort, reason }] });
  });
});

test('what is registered is always a valid key and value', () => {
  const anyPort = fc.integer({ min: 1, max: 65535 });
  const port = fc.record({
    containerPort: anyPort,
    protocol: fc.constantFrom('tcp', 'udp'),
    published: fc.array(
      fc.record({
        hostIp: fc.constantFrom('0.0.0.0', '::', '127.0.0.1', '192.168.7.1', '2001:db8::9'),
        hostPort: anyPort,
      }),
    ),
  });
  const container = fc.record({
    id: fc.stringMatching(/^[0-9a-f]{12}$/).map(containerId),
    image: fc.oneof(fc.constantFrom('nginx', 'quay.io/org/app:1'), fc.string()),
    hostNetwork: fc.boolean(),
    ports: fc.uniqueArray(port, { selector: ({ containerPort }) => containerPort, maxLength: 4 }),
  });
  fc.assert(
    fc.property(container, fc.constantFrom(hostIp, '2001:db8::7'), fc.boolean(), (changes, ownIp, stopping) => {
      for (const registration of register(changes, ownIp, stopping).registrations) {
        const key = accepted(parseKey(prefix, keyOf(prefix, registration)));
        expect({ ...key, ...accepted(parseValue(formatValue(registration))) }).toEqual(registration);
      }
    }),
  );
});
