import { describe, expect, test } from 'vitest';
import { metadataOf, type Misread, type PortMetadata } from '../../../src/core/metadata.js';

function read(
  labels: Record<string, string>,
  environment: Record<string, string> = {},
  port = 80,
): { readonly metadata: PortMetadata; readonly misread: readonly Misread[] } {
  const container = { labels: new Map(Object.entries(labels)), environment: new Map(Object.entries(environment)) };
  return metadataOf(container).of(port);
}

describe('what goes first', () => {
  const [general, own] = ['SERVICE_NAME', 'SERVICE_80_NAME'];

  test.each([
    ['a label before a variable', { [general]: 'label' }, { [general]: 'variable' }, 'label'],
    ['the port before all', { [general]: 'label' }, { [own]: 'own' }, 'own'],
    ['the label of the port before its variable', { [own]: 'label' }, { [own]: 'variable' }, 'label'],
    ['a variable where there is no label', {}, { [general]: 'variable' }, 'variable'],
    ['a variable where the label is empty', { [general]: '' }, { [general]: 'variable' }, 'variable'],
    ['nothing of another port', { SERVICE_8080_NAME: 'other' }, {}, null],
  ])('%s', (_what, labels, environment, name) => {
    expect(read(labels, environment).metadata.name).toBe(name);
  });
});

describe('registrator’s words', () => {
  test('for checks are understood', () => {
    expect(read({ SERVICE_CHECK_HTTP: '/health' }).metadata.attributes).toEqual({ check: '/health' });
    expect(read({ SERVICE_CHECK_TCP: 'true' }).metadata.attributes).toEqual({ check: null });
    expect(read({ SERVICE_CHECK_INTERVAL: '15s' }).metadata.attributes).toEqual({ checkIntervalMs: 15_000 });
  });

  test.each(['SCRIPT', 'CMD', 'TTL', 'HTTPS', 'DOCKER'])('for a check by Consul are refused: %s', (kind) => {
    expect(read({ [`SERVICE_CHECK_${kind}`]: 'x' }).misread).toEqual([
      { source: `label SERVICE_CHECK_${kind}`, value: 'x', allowed: 'nothing: see SERVICE_CHECK' },
    ]);
  });

  test('any other attribute is one', () => {
    expect(read({ SERVICE_REGION: 'us2', SERVICE_Data_Center: 'b' }).metadata.others).toEqual(
      new Map([
        ['region', 'us2'],
        ['data_center', 'b'],
      ]),
    );
  });
});

test.each([
  ['SERVICE_NAME', 'a b', 'letters, digits'],
  ['SERVICE_ID', '../x', 'up to 120 letters, digits'],
  ['SERVICE_PORT', '70000', 'a port from 1 to 65535'],
  ['SERVICE_80_WEIGHT', '0', 'a number from 1 to 256'],
  ['SERVICE_MODE', 'udp', 'tcp or http'],
  ['SERVICE_BALANCE', 'uri', 'uri only with SERVICE_MODE=http'],
  ['SERVICE_STICKY', 'cookie', 'a cookie only with SERVICE_MODE=http'],
  ['SERVICE_CHECK_STATUS', '200', 'a status only with a path in SERVICE_CHECK'],
  ['SERVICE_STATE', 'drain', 'nothing: a label can not drain'],
  ['SERVICE_TAGS', 'a b', 'words of letters'],
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
    others: new Map(),
  });
});

test.each(['service_name', 'MY_SERVICE_NAME', 'SERVICE_', 'SERVICE_80', 'SERVICE_NAME.x'])('%s is none', (name) => {
  expect(read({ [name]: 'x' })).toEqual(read({}));
});
