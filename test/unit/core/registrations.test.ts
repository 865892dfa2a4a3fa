import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContainerPort, ContainerSnapshot } from '../../../src/core/container.js';
import { formatValue, keyOf, parseKey, parseValue } from '../../../src/core/keyspace.js';
import { registrationsOf, type RegistrationPolicy, type Registrations } from '../../../src/core/registrations.js';
import { pairLabel } from '../../../src/core/why-not.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { accepted } from '../support/parsed.js';
import { policyWith, prefix, registrationWith } from '../support/registrations.js';

const hostIp = '10.170.71.226';

interface Case {
  readonly policy?: Partial<RegistrationPolicy>;
  readonly stopping?: boolean;
  readonly networkOwner?: ContainerSnapshot | null;
}

function register(
  changes: Partial<ContainerSnapshot>,
  { policy = {}, stopping = false, networkOwner = null }: Case = {},
): Registrations {
  return registrationsOf(containerWith(changes), policyWith(policy), { stopping, eventAtMs: null, networkOwner });
}

function labelled(labels: Record<string, string>, changes: Partial<ContainerSnapshot> = {}): Registrations {
  return register({ labels: new Map(Object.entries(labels)), ...changes });
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
    expect(register({})).toEqual({ registrations: [registrationWith()], skipped: [], misread: [], portsBeyond: 0 });
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
    expect(skipped).toMatchObject([{ containerPort: '53/udp', reason: 'only TCP is proxied, and this is UDP' }]);
  });

  test('drains while its stop is announced', () => {
    expect(register({}, { stopping: true }).registrations).toEqual([registrationWith({ state: 'drain' })]);
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
    expect(addressesOf(register({ ports: [port] }, { policy: { hostIp: ownIp } }))).toEqual([address]);
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
    ['a container without ports', { ports: [] }, 'it publishes no port'],
    ['one on the host network that exposes nothing', { hostNetwork: true, ports: [] }, 'its image exposes no port'],
    [
      'a container with SERVICE_IGNORE, whatever it says',
      { labels: new Map([['SERVICE_IGNORE', 'false']]) },
      'label SERVICE_IGNORE is set',
    ],
    [
      'a container of the pair itself',
      { labels: new Map([[pairLabel, 'register']]) },
      'it is part of the pair itself (label docker-discover.pair=register)',
    ],
    [
      'one whose label would be obeyed by a terminal',
      { labels: new Map([[pairLabel, `\u001b[2J${'x'.repeat(100)}`]]) },
      `docker-discover.pair=\\u001b[2J${'x'.repeat(31)}…)`,
    ],
    ['one with an id that Docker does not give', { id: '../../etc' }, 'its id is not of the form that Docker gives'],
    [
      'one that shares the network of nobody',
      { networkOf: '\u001b[2J' },
      'it shares the network of container \\u001b[2J, which',
    ],
  ])('%s', (_what, changes, reason) => {
    const { registrations, skipped } = register(changes);
    expect(registrations).toEqual([]);
    expect(skipped).toMatchObject([{ containerPort: null, reason: expect.stringContaining(reason) as string }]);
  });

  test.each([
    ['a UDP port', publishedPort(53, 53, 'udp'), '53/udp', 'only TCP is proxied, and this is UDP'],
    ['an SCTP port', publishedPort(9, 9, 'sctp'), '9/sctp', 'only TCP is proxied, and this is SCTP'],
    [
      'a port that is only exposed',
      { containerPort: 8000, protocol: 'tcp', published: [] },
      '8000/tcp',
      'it is exposed, but not published',
    ],
    [
      'a port of one family, where HOST_IP is of the other',
      portOn('::'),
      '8000/tcp',
      'it is published for IPv6 only, and HOST_IP is IPv4',
    ],
    [
      'a port that is published on loopback only',
      portOn('127.0.0.1', '::1'),
      '8000/tcp',
      'it is published on loopback only, where no other host reaches it',
    ],
  ])('%s', (_what, port, containerPort, reason) => {
    expect(register({ ports: [port] })).toMatchObject({ registrations: [], skipped: [{ containerPort, reason }] });
  });
});

describe('a SERVICE_ID that looks like the id of a container', () => {
  const theirs = 'abcdef012345';
  const refused = (value: string, source: string): object => ({
    source,
    value,
    allowed:
      'an id that does not look like that of a container: 12 hex digits, or 0123456789ab, which is that of whoami-1 itself',
  });

  test.each([theirs, `${theirs}:8000`])('of another one is refused, so that it overwrites no key of it: %s', (id) => {
    const { registrations, misread } = labelled({ SERVICE_ID: id });
    expect(registrations.map((one) => one.id)).toEqual(['0123456789ab']);
    expect(misread).toMatchObject([refused(id, 'label SERVICE_ID')]);
  });

  test('is refused for one of several ports too, and as a variable', () => {
    const ports = [publishedPort(80, 8080), publishedPort(443, 8443)];
    const environment = new Map([['SERVICE_443_ID', theirs]]);
    const { registrations, misread } = register({ ports, environment });
    expect(registrations.map((one) => one.id)).toEqual(['0123456789ab:80', '0123456789ab:443']);
    expect(misread).toMatchObject([refused(theirs, 'environment variable SERVICE_443_ID')]);
  });

  test.each(['0123456789ab', '0123456789ab:8000', 'abcdef01234', 'abcdef0123456', `${theirs}:x`, `${theirs}-1`])(
    'of its own, or that is of another form, stands: %s',
    (id) => {
      const { registrations, misread } = labelled({ SERVICE_ID: id });
      expect([registrations.map((one) => one.id), misread]).toEqual([[id], []]);
    },
  );
});

describe('a container that has several settings', () => {
  test('is registered with them', () => {
    const { registrations, misread } = labelled({
      SERVICE_NAME: 'Shop',
      SERVICE_ID: 'shop-1',
      SERVICE_PORT: '80',
      SERVICE_MODE: 'http',
      SERVICE_CHECK: '/healthz',
      SERVICE_CHECK_STATUS: '200',
      SERVICE_TAGS: 'blue,eu\\,west',
      SERVICE_REGION: 'eu-1',
    });
    expect(misread).toEqual([]);
    expect(registrations).toEqual([
      registrationWith({
        service: 'shop',
        id: 'shop-1',
        servicePort: 80,
        mode: 'http',
        check: '/healthz',
        checkStatus: '200',
        tags: ['blue', 'eu,west'],
        others: new Map([['region', 'eu-1']]),
      }),
    ]);
  });

  const ports = [publishedPort(80, 8080), publishedPort(443, 8443)];

  test('gives each of its ports what is for that port', () => {
    const { registrations, skipped } = labelled(
      { SERVICE_NAME: 'web', SERVICE_443_NAME: 'secure', SERVICE_443_ID: 'one', SERVICE_443_PORT: '8443' },
      { ports: [...ports, publishedPort(9000)], environment: new Map([['SERVICE_9000_IGNORE', 'yes']]) },
    );
    expect(registrations.map(({ service, id, servicePort }) => [service, id, servicePort])).toEqual([
      ['web', '0123456789ab:80', 80],
      ['secure', 'one', 8443],
    ]);
    expect(skipped).toMatchObject([
      { containerPort: '9000/tcp', reason: 'environment variable SERVICE_9000_IGNORE is set' },
    ]);
  });

  test('is not renamed because its image exposes one more port', () => {
    const names = (more: readonly ContainerPort[]): string[] =>
      labelled({ SERVICE_NAME: 'web' }, { ports: more }).registrations.map(({ service }) => service);
    expect(names(ports.slice(0, 1))).toEqual(['web']);
    expect(names(ports)).toEqual(['web', 'web']);
  });

  test('keeps its own port where a service port is meant for one, and it has several', () => {
    const { registrations, misread } = labelled({ SERVICE_PORT: '9000' }, { ports });
    expect(registrations.map(({ servicePort }) => servicePort)).toEqual([80, 443]);
    expect(misread).toMatchObject([
      {
        source: 'label SERVICE_PORT',
        value: '9000',
        allowed: expect.stringContaining('SERVICE_<port>_PORT') as string,
      },
    ]);
  });

  test('loses tags and unknown attributes, and no more, where they do not fit', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`SERVICE_X${String(n)}`, 'x'.repeat(120)]));
    const { registrations, misread } = labelled({ ...many, SERVICE_WEIGHT: '5' });
    expect(registrations).toEqual([registrationWith({ weight: 5 })]);
    expect(misread).toMatchObject([{ value: '20 attributes and 0 tags' }]);
  });

  test('fits, whatever else there is, and also when it stops', () => {
    const hosts = Array.from({ length: 60 }, (_none, n) => `host-${String(n)}.example`).join(',');
    const longest = {
      SERVICE_HTTP_HOST: hosts,
      SERVICE_HTTP_PATH: `/${'p'.repeat(127)}`,
      SERVICE_CHECK: `/${'c'.repeat(255)}`,
      SERVICE_CHECK_STATUS: Array.from({ length: 8 }, () => '200-299').join(','),
      SERVICE_CHECK_INTERVAL: '3599999ms',
      SERVICE_ZONE: 'z'.repeat(64),
      SERVICE_BALANCE: 'leastconn',
      SERVICE_STICKY: 'cookie',
      SERVICE_WEIGHT: '256',
      SERVICE_BACKUP: 'yes',
      SERVICE_MAXCONN: '1000000',
      SERVICE_PROXY_PROTOCOL: 'v2',
      SERVICE_SLOW_START: '3599999ms',
    };
    const tags = { SERVICE_TAGS: Array.from({ length: 12 }, () => 't'.repeat(62)).join(',') };
    for (const labels of [longest, { ...longest, ...tags }]) {
      const labelsOf = new Map(Object.entries(labels));
      const circumstances = { stopping: true, eventAtMs: 0, networkOwner: null };
      const { registrations, misread } = registrationsOf(
        containerWith({ labels: labelsOf }),
        policyWith(),
        circumstances,
      );
      expect(registrations).toHaveLength(1);
      for (const one of registrations) expect(parseValue(formatValue(one)).ok).toBe(true);
      expect(misread).toHaveLength(labels === longest ? 0 : 1);
    }
  });

  test('has one id for each port, where it gives the same to several', () => {
    const ports = [publishedPort(5000), publishedPort(6000)];
    const labels = new Map([
      ['SERVICE_5000_ID', 'x'],
      ['SERVICE_6000_ID', 'x'],
    ]);
    const { registrations, misread } = register({ ports, labels });
    expect(registrations.map(({ id }) => id)).toEqual(['x', 'x:6000']);
    expect(misread).toMatchObject([{ source: 'label SERVICE_6000_ID', value: 'x' }]);
  });
});

test.each<[string, Record<string, string>, boolean]>([
  ['with a name', { SERVICE_NAME: 'shop' }, true],
  ['with a host name', { SERVICE_80_HTTP_HOST: 'shop.example' }, true],
  ['with nginx-proxy’s word for one', { VIRTUAL_HOST: 'shop.example' }, true],
  ['with something of its own', { SERVICE_URL: 'x' }, false],
  ['without a word', {}, false],
])('a container %s that publishes no port is worth a warning, or not', (_what, environment, isDoubtful) => {
  const { skipped } = register({ ports: [], environment: new Map(Object.entries(environment)) });
  expect(skipped).toMatchObject([{ reason: 'it publishes no port', isDoubtful }]);
  const ports = [{ containerPort: 80, protocol: 'tcp', published: [] }];
  const exposed = register({ ports, environment: new Map(Object.entries(environment)) });
  expect(exposed.skipped).toMatchObject([{ reason: expect.stringContaining('not published') as string, isDoubtful }]);
});

test('a container is in the zone of its host, unless it says otherwise', () => {
  const zones = (labels: Record<string, string>): (string | null)[] =>
    register({ labels: new Map(Object.entries(labels)) }, { policy: { zone: 'eu-1' } }).registrations.map(
      ({ zone }) => zone,
    );
  expect(zones({})).toEqual(['eu-1']);
  expect(zones({ SERVICE_ZONE: 'eu-2' })).toEqual(['eu-2']);
  expect(register({}).registrations).toMatchObject([{ zone: null }]);
});

describe('ONLY_LABEL', () => {
  test.each([
    ['a container without it', {}, null, 'it has no label publish'],
    ['a container with another value', { publish: 'no' }, 'yes', 'its label publish is not yes'],
  ])('leaves out %s', (_what, labels, value, reason) => {
    const policy = { onlyLabel: { name: 'publish', value } };
    const { registrations, skipped } = register({ labels: new Map(Object.entries(labels)) }, { policy });
    expect(registrations).toEqual([]);
    expect(skipped).toMatchObject([{ containerPort: null, reason }]);
  });

  test.each([null, 'yes'])('lets the others in (value %s)', (value) => {
    const policy = { onlyLabel: { name: 'publish', value } };
    expect(register({ labels: new Map([['publish', 'yes']]) }, { policy }).registrations).toHaveLength(1);
  });
});

describe('with INTERNAL', () => {
  const exposed = { containerPort: 8000, protocol: 'tcp', published: [] };
  const internal = (networks: Record<string, string[]>, network: string | null): Registrations =>
    register({ ports: [exposed], networks: new Map(Object.entries(networks)) }, { policy: { internal: { network } } });

  test.each<[string, Record<string, string[]>, string | null, string]>([
    ['the only network', { lan: ['10.0.0.5'] }, null, '10.0.0.5 8000'],
    ['the one that is named', { bridge: ['172.17.0.2'], lan: ['10.0.0.5'] }, 'lan', '10.0.0.5 8000'],
    ['IPv6 where there is nothing else', { lan: ['2001:db8::5'] }, null, '2001:db8::5 8000'],
  ])('the address is the container’s own on %s', (_what, networks, network, address) => {
    expect(addressesOf(internal(networks, network))).toEqual([address]);
  });

  test.each<[string, Record<string, string[]>, string | null, string]>([
    ['on several', { bridge: ['172.17.0.2'], lan: ['10.0.0.5'] }, null, 'it is on several networks: bridge, lan'],
    ['on none', {}, null, 'it is on no network'],
    ['not on the one that is named', { bridge: ['172.17.0.2'] }, 'lan', 'it is not on network lan, but on bridge'],
    ['without an address', { lan: [] }, null, 'it has no address on network lan'],
  ])('a container is skipped that is %s', (_what, networks, network, reason) => {
    const { registrations, skipped } = internal(networks, network);
    expect(registrations).toEqual([]);
    expect(skipped).toMatchObject([{ reason: expect.stringContaining(reason) as string, isDoubtful: true }]);
  });
});

describe('a container that shares the network of another', () => {
  const networkOwner = containerWith({
    id: containerId('ffff'),
    ports: [publishedPort(80, 8080), publishedPort(8000, 49153)],
  });
  const exposed = { containerPort: 8000, protocol: 'tcp', published: [] };
  const guest = { networkOf: networkOwner.id, networks: new Map(), ports: [exposed] };

  test('is reached at the port that the other publishes for it', () => {
    expect(register(guest, { networkOwner }).registrations).toEqual([registrationWith()]);
  });

  test('may name its ports by its settings, where its image exposes none', () => {
    const labels = new Map([['SERVICE_80_NAME', 'side']]);
    expect(register({ ...guest, ports: [], labels }, { networkOwner }).registrations).toMatchObject([
      { service: 'side', servicePort: 80, address: { port: 8080 } },
    ]);
  });

  test('is skipped while the other does not run', () => {
    expect(register(guest).skipped).toMatchObject([
      { reason: 'it shares the network of container ffff00000000, which does not run' },
    ]);
  });
});

test('a port that is published twice is registered once, at the lower of the two', () => {
  const port = {
    ...publishedPort(8000),
    published: [49155, 49154].map((hostPort) => ({ hostIp: '0.0.0.0', hostPort })),
  };
  expect(addressesOf(register({ ports: [port] }))).toEqual(['10.170.71.226 49154']);
});

const settings = [
  'NAME',
  'ID',
  'PORT',
  'IGNORE',
  'TAGS',
  'MODE',
  'BALANCE',
  'CHECK',
  'CHECK_HTTP',
  'CHECK_STATUS',
  'CHECK_INTERVAL',
  'STICKY',
  'WEIGHT',
  'BACKUP',
  'MAXCONN',
  'PROXY_PROTOCOL',
  'SLOW_START',
  'STATE',
  'REGION',
];

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
  const anySettings = fc
    .dictionary(
      fc
        .tuple(fc.constantFrom('', '80_', '8000_'), fc.constantFrom(...settings))
        .map(([at, key]) => `SERVICE_${at}${key}`),
      fc.oneof(
        fc.constantFrom('http', 'tcp', 'uri', 'v2', 'cookie', '200', '10s', '8080', 'a,b\\,c', '/x'),
        fc.string(),
      ),
      { maxKeys: 6 },
    )
    .map((texts) => new Map(Object.entries(texts)));
  const anyCase = fc.record({
    policy: fc.record({ hostIp: fc.constantFrom(hostIp, '2001:db8::7') }),
    stopping: fc.boolean(),
  });
  const container = fc.record({
    id: fc.stringMatching(/^[0-9a-f]{12}$/).map(containerId),
    image: fc.oneof(fc.constantFrom('nginx', 'quay.io/org/app:1'), fc.string()),
    hostNetwork: fc.boolean(),
    labels: anySettings,
    environment: anySettings,
    ports: fc.uniqueArray(port, { selector: ({ containerPort }) => containerPort, maxLength: 4 }),
  });
  fc.assert(
    fc.property(container, anyCase, (changes, given) => {
      const { registrations, skipped, misread } = register(changes, given);
      expect(registrations.length + skipped.length).toBeGreaterThan(0);
      for (const { source, allowed } of misread)
        expect(`${source} ${allowed}`).toMatch(/^(label|environment variable|its) SERVICE_/);
      for (const registration of registrations) {
        const key = accepted(parseKey(prefix, keyOf(prefix, registration)));
        expect({ ...key, ...accepted(parseValue(formatValue(registration))) }).toEqual(registration);
      }
    }),
  );
});

test('a container with too many labels is left out, and one with too many ports has its lowest registered', () => {
  const limits = { registrations: 10, ports: 2, labelBytes: 1_000 };
  const large = registrationsOf(containerWith({ beyond: { ports: 0, labelBytes: 1_001 } }), policyWith({ limits }), {
    stopping: false,
    eventAtMs: null,
    networkOwner: null,
  });
  expect(large.skipped).toEqual([
    {
      containerPort: null,
      kind: 'limit',
      reason: 'its labels and environment variables have 1001 bytes, more than 1000 (MAX_LABEL_BYTES)',
      mend: 'give it fewer or shorter ones, or raise MAX_LABEL_BYTES of docker-register',
      isDoubtful: true,
    },
  ]);
  const ports = [1, 2, 3].map((port) => publishedPort(port, 40_000 + port));
  const crowded = registrationsOf(
    containerWith({ ports, beyond: { ports: 7, labelBytes: null } }),
    policyWith({ limits }),
    { stopping: false, eventAtMs: null, networkOwner: null },
  );
  expect(crowded.registrations.map(({ servicePort }) => servicePort)).toEqual([1, 2]);
  expect([crowded.portsBeyond, crowded.skipped.map(({ reason }) => reason)]).toEqual([
    8,
    ['it has more ports than 2 (MAX_PORTS); its 8 highest are left out'],
  ]);
});
