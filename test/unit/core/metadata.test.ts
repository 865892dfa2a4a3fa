import { describe, expect, test } from 'vitest';
import { publishedPort } from '../support/containers.js';
import type { Misread } from '../../../src/core/found.js';
import { metadataOf, type PortMetadata } from '../../../src/core/metadata.js';

function read(
  labels: Record<string, string>,
  environment: Record<string, string> = {},
  port = 80,
): { readonly metadata: PortMetadata; readonly misread: readonly Misread[] } {
  const container = {
    labels: new Map(Object.entries(labels)),
    environment: new Map(Object.entries(environment)),
    ports: [publishedPort(port)],
  };
  return metadataOf(container).of(port);
}

describe('what goes first', () => {
  const [general, own] = ['SERVICE_NAME', 'SERVICE_80_NAME'];

  test.each([
    ['a label before a variable', { [general]: 'label' }, { [general]: 'variable' }, 'label'],
    ['the port before all', { [general]: 'label' }, { [own]: 'own' }, 'own'],
    ['the label of the port before its variable', { [own]: 'label' }, { [own]: 'variable' }, 'label'],
    ['a variable where there is no label', {}, { [general]: 'variable' }, 'variable'],
    ['nothing where an empty label takes a variable back', { [general]: '' }, { [general]: 'variable' }, null],
    ['nothing where the port’s own is empty', { [own]: '', [general]: 'label' }, {}, null],
    ['nothing of another port', { SERVICE_8080_NAME: 'other' }, {}, null],
  ])('%s', (_what, labels, environment, name) => {
    expect(read(labels, environment).metadata.name).toEqual(name === null ? null : { ok: true, value: name });
  });
});

describe('registrator’s words', () => {
  test('for checks are understood', () => {
    expect(read({ SERVICE_CHECK_HTTP: '/health' }).metadata.attributes).toEqual({ check: '/health' });
    expect(read({ SERVICE_CHECK_TCP: 'true' }).metadata.attributes).toEqual({ check: null });
    expect(read({ SERVICE_CHECK_INTERVAL: '15s' }).metadata.attributes).toEqual({ checkIntervalMs: 15_000 });
  });

  test('for checks go by the port first, and HTTP before TCP', () => {
    const all = { SERVICE_CHECK_HTTP: '/all', SERVICE_CHECK_TCP: 'true' };
    expect(read(all).metadata.attributes).toEqual({ check: '/all' });
    expect(read({ SERVICE_80_CHECK_HTTP: '/own', ...all }).metadata.attributes).toEqual({ check: '/own' });
    expect(read({ ...all, SERVICE_80_CHECK_TCP: 'true' }).metadata.attributes).toEqual({ check: null });
    expect(read({ ...all, SERVICE_CHECK: '/ours' }).metadata.attributes).toEqual({ check: '/ours' });
    expect(read({ SERVICE_CHECK_HTTP: '', SERVICE_CHECK_TCP: 'true' }).metadata.attributes).toEqual({ check: null });
  });

  test('for one port to be ignored or not', () => {
    const container = {
      labels: new Map([
        ['SERVICE_IGNORE', '1'],
        ['SERVICE_80_IGNORE', ''],
      ]),
      environment: new Map(),
      ports: [],
    };
    const metadata = metadataOf(container);
    expect(metadata.ignoredBy).toBeNull();
    expect(metadata.of(80).metadata.ignoredBy).toBeNull();
    expect(metadata.of(81).metadata.ignoredBy).toBe('label SERVICE_IGNORE');
  });

  test.each(['SCRIPT', 'CMD', 'TTL', 'HTTPS', 'DOCKER', 'GRPC', 'TIMEOUT', 'INITIAL_STATUS'])(
    'for a check by Consul are refused: %s',
    (kind) => {
      expect(read({ [`SERVICE_CHECK_${kind}`]: 'x' }).misread).toEqual([
        { source: `label SERVICE_CHECK_${kind}`, value: 'x', allowed: 'nothing: see SERVICE_CHECK' },
      ]);
    },
  );

  test('any other attribute is one', () => {
    expect(read({ SERVICE_REGION: 'us2', SERVICE_Data_Center: 'b', 'SERVICE_my-key': 'c' }).metadata.others).toEqual(
      new Map([
        ['region', 'us2'],
        ['data_center', 'b'],
        ['my-key', 'c'],
      ]),
    );
  });
});

test.each([
  ['SERVICE_ID', '../x', 'up to 120 letters, digits'],
  ['SERVICE_PORT', '70000', 'a port from 1 to 65535'],
  ['SERVICE_80_WEIGHT', '0', 'a number from 1 to 256'],
  ['SERVICE_MODE', 'udp', 'tcp or http'],
  ['SERVICE_BALANCE', 'uri', 'uri only with SERVICE_MODE=http'],
  ['SERVICE_STICKY', 'cookie', 'a cookie only with SERVICE_MODE=http'],
  ['SERVICE_CHECK_STATUS', '200', 'a status only with a path in SERVICE_CHECK'],
  ['SERVICE_STATE', 'drain', 'nothing: a label can not drain'],
  ['SERVICE_TAGS', 'a b', 'words of up to 64 letters'],
  ['SERVICE_MY.KEY', 'a', 'a name of up to 32 letters'],
  [`SERVICE_${'X'.repeat(33)}`, 'a', 'a name of up to 32 letters'],
  ['SERVICE_REGION', 'a b', 'up to 128 letters'],
  ['SERVICE_REGION', 'x'.repeat(129), 'up to 128 letters'],
])('%s=%s is not understood, and the rest is', (name, value, allowed) => {
  const { metadata, misread } = read({ [name]: value, SERVICE_BACKUP: 'true' });
  expect(misread).toEqual([{ source: `label ${name}`, value, allowed: expect.stringContaining(allowed) as string }]);
  expect(metadata).toEqual({
    name: null,
    id: null,
    servicePort: null,
    ignoredBy: null,
    attributes: { backup: true },
    healthcheck: null,
    others: new Map(),
  });
});

test('a name that is none is not understood as another', () => {
  const { name } = read({ SERVICE_NAME: 'team/shop' }).metadata;
  expect(name).toMatchObject({
    ok: false,
    reason: expect.stringContaining('label SERVICE_NAME: "team/shop"') as string,
  });
});

test('variables of the program itself stay where they are, and in no log', () => {
  const { metadata, misread } = read(
    {},
    { SERVICE_PASSWORD: 'hunter2', SERVICE_ACCOUNT_KEY: 'a b', SERVICE_NOTE: 'c d' },
  );
  expect([metadata.others, misread]).toEqual([new Map(), []]);
  expect(read({ SERVICE_KEY: 'public' }).metadata.others).toEqual(new Map([['key', 'public']]));
  expect(read({}, { SERVICE_REGION: 'eu' }).metadata.others).toEqual(new Map([['region', 'eu']]));
});

test('tags may have what registrator’s users put there', () => {
  expect(read({ SERVICE_TAGS: 'traefik.enable=true, blue,,eu\\,west' }).metadata.attributes).toEqual({
    tags: ['traefik.enable=true', 'blue', 'eu,west'],
  });
});

test.each(['service_name', 'MY_SERVICE_NAME', 'SERVICE_', 'SERVICE_80'])('%s is none', (name) => {
  expect(read({ [name]: 'x' })).toEqual(read({}));
});

describe('HTTP routing', () => {
  test('has host names and a path, and allows what HTTP allows', () => {
    const { metadata, misread } = read({
      SERVICE_HTTP_HOST: 'shop.example,www.shop.example',
      SERVICE_HTTP_PATH: '/api',
      SERVICE_STICKY: 'cookie',
      SERVICE_BALANCE: 'uri',
    });
    expect(misread).toEqual([]);
    expect(metadata.attributes).toEqual({
      httpHosts: ['shop.example', 'www.shop.example'],
      httpPath: '/api',
      sticky: 'cookie',
      balance: 'uri',
    });
  });

  test('has nginx-proxy’s words too, for the port that they name', () => {
    const environment = { VIRTUAL_HOST: 'shop.example', VIRTUAL_PORT: '8080', VIRTUAL_PATH: '/api/' };
    expect(read({}, environment, 8080).metadata.attributes).toEqual({ httpHosts: ['shop.example'], httpPath: '/api' });
    expect(read({}, environment, 80).metadata.attributes).toEqual({});
    expect(read({ VIRTUAL_HOST: 'label.example' }, environment, 8080).metadata.attributes).toMatchObject({
      httpHosts: ['label.example'],
    });
  });

  test('has ours before theirs, each by itself, and for whatever port', () => {
    const environment = { VIRTUAL_HOST: 'theirs.example', VIRTUAL_PATH: '/theirs' };
    expect(read({ SERVICE_HTTP_HOST: 'ours.example' }, environment).metadata.attributes).toEqual({
      httpHosts: ['ours.example'],
      httpPath: '/theirs',
    });
    expect(read({ SERVICE_80_http_path: '/ours' }, environment).metadata.attributes).toEqual({
      httpHosts: ['theirs.example'],
      httpPath: '/ours',
    });
    expect(read({ SERVICE_81_HTTP_HOST: 'other.example' }, environment).metadata.attributes).toEqual({
      httpPath: '/theirs',
    });
    for (const label of ['service_http_host', 'SERVICE_HTTP_HOST'])
      expect(
        read({ [label]: label === 'SERVICE_HTTP_HOST' ? '' : 'x' }, environment).metadata.attributes,
      ).toMatchObject({
        httpPath: '/theirs',
      });
  });

  test.each<[Record<string, string>]>([
    [{ VIRTUAL_HOST: '~^shop', VIRTUAL_PATH: '/api' }],
    [{ VIRTUAL_HOST: 'a.example', VIRTUAL_PATH: '~^/(app1|alt)/' }],
    [{ SERVICE_HTTP_HOST: 'a_ b', SERVICE_HTTP_PATH: '/api' }],
    [{ SERVICE_80_HTTP_HOST: 'a.example', SERVICE_HTTP_PATH: 'api' }],
  ])('of which half is not understood is none: %j', (environment) => {
    const { metadata, misread } = read({}, environment);
    expect(misread).toHaveLength(1);
    expect(metadata.attributes).toMatchObject({ httpHosts: [], httpPath: null });
  });

  test.each([
    [[8000], { VIRTUAL_HOST: 'a' }, [8000]],
    [[8000, 80], { VIRTUAL_HOST: 'a' }, [80]],
    [[8000, 9000], { VIRTUAL_HOST: 'a', VIRTUAL_PORT: '9000' }, [9000]],
    [[8000, 9000], { VIRTUAL_HOST: 'a' }, []],
    [[8000, 80], { VIRTUAL_HOST: 'a', VIRTUAL_PORT: 'http' }, []],
    [[8000], { VIRTUAL_HOST: '' }, []],
    [[8000], { VIRTUAL_PATH: '/api' }, []],
    [[8000, 8443], { VIRTUAL_HOST: 'a', VIRTUAL_PORT: '9000' }, []],
  ])('of a container with ports %j and %j is about %j', (ports, environment, about) => {
    const container = {
      labels: new Map(),
      environment: new Map(Object.entries(environment)),
      ports: [...ports.map((port) => publishedPort(port)), publishedPort(53, 53, 'udp')],
    };
    const metadata = metadataOf(container);
    expect(ports.filter((port) => metadata.of(port).metadata.attributes.httpHosts !== undefined)).toEqual(about);
  });

  test.each<[Record<string, string>, string, string]>([
    [{ VIRTUAL_HOST: '~^www' }, 'environment variable VIRTUAL_HOST', 'host names like www.example.org'],
    [{ VIRTUAL_HOST: 'a', VIRTUAL_PATH: 'api' }, 'environment variable VIRTUAL_PATH', 'a path like /api'],
    [{ VIRTUAL_HOST: 'a', VIRTUAL_PORT: 'http' }, 'environment variable VIRTUAL_PORT', 'a port from 1 to 65535'],
    [{ VIRTUAL_HOST: 'a', VIRTUAL_PROTO: 'https' }, 'environment variable VIRTUAL_PROTO', 'http: no other protocol'],
    [{ VIRTUAL_HOST: 'a', VIRTUAL_PORT: '9000' }, 'environment variable VIRTUAL_PORT', 'that can be registered: 80'],
    [{ VIRTUAL_HOST_MULTIPORTS: '{}' }, 'environment variable VIRTUAL_HOST_MULTIPORTS', 'SERVICE_<port>_HTTP_HOST'],
  ])('%j is told of', (environment, source, allowed) => {
    expect(read({}, environment).misread).toMatchObject([
      { source, allowed: expect.stringContaining(allowed) as string },
    ]);
  });

  test('is about published ports, where there are any', () => {
    const ports = [publishedPort(3000), { containerPort: 80, protocol: 'tcp', published: [] }];
    const metadata = metadataOf({ labels: new Map(), environment: new Map([['VIRTUAL_HOST', 'a']]), ports });
    expect(metadata.of(3000).metadata.attributes).toEqual({ httpHosts: ['a'] });
  });

  test('of a container with several ports wants to know which', () => {
    const environment = new Map([['VIRTUAL_HOST', 'a']]);
    const metadata = metadataOf({ labels: new Map(), environment, ports: [publishedPort(1), publishedPort(2)] });
    expect(metadata.of(1).misread).toMatchObject([
      { allowed: expect.stringContaining('with VIRTUAL_PORT beside it') as string },
    ]);
  });
});

test('a setting with a name without end is told of by its beginning', () => {
  const { misread } = read({ [`SERVICE_${'X'.repeat(1_000)}`]: 'a' });
  expect(misread.map(({ source }) => source)).toEqual([`label SERVICE_${'X'.repeat(72)}…`]);
});

test('what is nearly a word of ours is taken as it is, and told of', () => {
  const { metadata, misread } = read({ SERVICE_WIEGHT: '5', SERVICE_chek_status: '200', SERVICE_REGION: 'eu' });
  expect([...metadata.others.keys()].sort()).toEqual(['chek_status', 'region', 'wieght']);
  expect(misread).toEqual([
    {
      source: 'label SERVICE_WIEGHT',
      value: '5',
      allowed: 'SERVICE_WEIGHT, if that was meant: this is nothing of ours',
    },
    {
      source: 'label SERVICE_chek_status',
      value: '200',
      allowed: 'SERVICE_CHECK_STATUS, if that was meant: this is nothing of ours',
    },
  ]);
});
