import fc from 'fast-check';
import type { InspectedContainer } from '../../src/adapters/docker/map-inspect.js';
import { parseNaming } from '../../src/core/naming.js';
import { defaultRegistrationLimits } from '../../src/core/registration-limits.js';
import type { RegistrationPolicy } from '../../src/core/registrations.js';
import { accepted } from '../unit/support/parsed.js';
import { validTexts } from './attributes.js';
import { hostile, mostlyValid } from './texts.js';

const container = fc.constantFrom('', '80_', '8000_', '65535_', '0_', '99999_');

/** A setting as a label or a variable: `SERVICE_8000_CHECK_STATUS`, with a text that fits it, mostly. */
const setting = fc
  .tuple(
    container,
    fc.constantFrom(...Object.keys(validTexts), 'name', 'id', 'check_http', 'check_tcp', 'secret_token'),
  )
  .chain(([forPort, name]) => {
    const own = validTexts[name] ?? fc.constantFrom('web', 'shop-2', '1', 'Web');
    const label = `SERVICE_${forPort}${name.toUpperCase().replaceAll('-', '_')}`;
    return fc.tuple(fc.constant(label), mostlyValid(own));
  });
const otherSettings: readonly [string, readonly string[]][] = [
  ['com.docker.compose.service', ['web', 'db']],
  ['com.docker.compose.project', ['shop']],
  ['com.docker.swarm.service.name', ['shop_web']],
  ['com.docker.stack.namespace', ['shop']],
  ['docker-discover.pair', ['register']],
  ['SERVICE_IGNORE', ['1', '']],
  ['VIRTUAL_HOST', ['shop.example', 'a.b,c.d']],
  ['VIRTUAL_PORT', ['80', '8000']],
  ['VIRTUAL_PATH', ['/api']],
  ['VIRTUAL_PROTO', ['http', 'https']],
  ['team', ['blue']],
  ['a.b.c', ['x']],
  ['__proto__', ['x']],
];
const other = fc
  .constantFrom(...otherSettings)
  .chain(([name, texts]) => fc.tuple(fc.constant(name), mostlyValid(fc.constantFrom(...texts))));
const pair = fc.oneof(
  { weight: 8, arbitrary: setting },
  { weight: 2, arbitrary: other },
  {
    weight: 1,
    arbitrary: fc.tuple(
      hostile(fc.constantFrom('SERVICE_NAME', 'SERVICE_80_WEIGHT', 'VIRTUAL_HOST')),
      fc.constantFrom('x', '1'),
    ),
  },
);
const pairs = fc.array(pair, { maxLength: 5 });

const image = mostlyValid(
  fc.constantFrom(
    'web',
    'jwilder/whoami:latest',
    'quay.io:443/org/App_1:2',
    'nginx@sha256:' + '4'.repeat(64),
    'a__b/c--d',
    '4'.repeat(12),
  ),
);
const hostIp = fc.constantFrom('0.0.0.0', '::', '', '127.0.0.1', '10.170.71.226', '10.0.0.9', '2001:DB8:0::9');
const published = fc.record({
  HostIp: fc.oneof({ weight: 30, arbitrary: hostIp }, { weight: 1, arbitrary: hostile(hostIp) }),
  HostPort: fc.constantFrom('49153', '80', '0', '', '65535', '65536', '49154', '49155'),
});
const portName = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('80/tcp', '8000/tcp', '65535/tcp', '53/udp', '443/tcp') },
  { weight: 1, arbitrary: hostile(fc.constantFrom('80/tcp', '9/sctp')) },
);
const ports = fc.dictionary(
  portName,
  fc.oneof(fc.constant(null), fc.array(published, { minLength: 1, maxLength: 2 })),
  { minKeys: 1, maxKeys: 3 },
);
const hex = fc.constantFrom('0123456789abcdef', '3f53bb00af94').map((start) => start.padEnd(64, '0'));

const healthCheck = fc.record({
  Test: fc
    .tuple(
      fc.constantFrom('CMD', 'CMD-SHELL', 'NONE'),
      mostlyValid(
        fc.constantFrom('curl -f http://localhost/', 'wget -q http://127.0.0.1:8000/healthz || exit 1', 'ok'),
      ),
    )
    .map((words) => [...words]),
  Interval: fc.constantFrom(0, 1e6, 5e9, 1e18, -1),
  Timeout: fc.constantFrom(0, 3e9),
  Retries: fc.constantFrom(0, 1, 3, 1_000_000_000),
});

/** As `docker inspect` tells it; what a container's owner chooses is hostile, and a little of what Docker itself does. */
const anyContainer: fc.Arbitrary<InspectedContainer> = fc.record({
  Id: fc.oneof({ weight: 30, arbitrary: hex }, { weight: 1, arbitrary: hostile(hex) }),
  Name: mostlyValid(fc.constantFrom('/whoami-1', '/web')),
  Image: fc.constant(`sha256:${'4'.repeat(64)}`),
  State: fc.record({
    Running: fc.nat(20).map((n) => n > 0),
    Paused: fc.nat(20).map((n) => n === 0),
    StartedAt: fc.constant('2026-11-23T11:05:00.123456789Z'),
    Health: fc.nat(12).map((n) => (n > 1 ? null : { Status: n === 0 ? 'healthy' : 'starting' })),
  }),
  Config: fc.record({
    Image: image,
    Labels: pairs.map((all) => Object.fromEntries(all)),
    Env: pairs.map((all) => all.map((one) => one.join('='))),
    ExposedPorts: fc.dictionary(portName, fc.constant({}), { maxKeys: 1 }),
    Healthcheck: fc.option(healthCheck),
  }),
  HostConfig: fc.record({
    NetworkMode: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom('default', 'bridge', 'host') },
      { weight: 1, arbitrary: hostile(fc.constant('container:web')) },
    ),
  }),
  NetworkSettings: fc.record({
    Ports: ports,
    Networks: fc.dictionary(
      mostlyValid(fc.constantFrom('bridge', 'inner')),
      fc.record({ IPAddress: mostlyValid(fc.constantFrom('172.17.0.2', '')) }),
      { maxKeys: 2 },
    ),
  }),
});

const namings = [
  'image',
  'repository',
  'compose-service',
  'compose-project',
  'label:team',
  'env:SERVICE_NAME',
  '{{image}}-{{labels.a.b.c}}',
  '{{{name}}}',
  '{{tag}}',
].map((naming) => accepted(parseNaming(naming)));
/** Mostly the first of them. */
function firstOf<T>(first: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(first) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

const anyPolicy: fc.Arbitrary<RegistrationPolicy> = fc.record({
  hostIp: firstOf('10.170.71.226', '2001:db8::1'),
  naming: firstOf({ kind: 'image' }, ...namings),
  onlyLabel: firstOf<RegistrationPolicy['onlyLabel']>(
    null,
    { name: 'team', value: null },
    { name: 'team', value: 'blue' },
  ),
  internal: firstOf<RegistrationPolicy['internal']>(null, { network: null }, { network: 'inner' }),
  zone: fc.constantFrom(null, 'eu-1'),
  limits: fc.constant(defaultRegistrationLimits),
});

/** A container on a host, and how it is. */
export interface RawContainer {
  readonly container: InspectedContainer;
  readonly policy: RegistrationPolicy;
  readonly stopping: boolean;
  readonly eventAtMs: number | null;
}

export const anyRawContainer: fc.Arbitrary<RawContainer> = fc.record({
  container: anyContainer,
  policy: anyPolicy,
  stopping: fc.boolean(),
  eventAtMs: fc.constantFrom(null, 1_790_000_000_123),
});
