import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLoopback } from '../../../src/core/address.js';
import { formatValue, keyOf } from '../../../src/core/keyspace.js';
import { decode, encode, watchCatalog, type Registration, type RegistrationInput } from '../../../src/library/index.js';
import { registrationOf } from '../../../src/library/codec.js';
import { anyRegistration } from '../support/arbitraries.js';
import { prefix } from '../support/registrations.js';

const shop = { service: 'shop', id: 'a', address: { host: '10.0.0.1', port: 80 } };

describe('encode', () => {
  test('leaves out what has its default, and takes the port of the address for that of the service', () => {
    expect(encode(shop)).toEqual({ key: '/backends/shop/a', value: '10.0.0.1:80?port=80' });
  });

  test('says what is not the default', () => {
    const registration = { ...shop, servicePort: 8000, weight: 3, tags: ['a', 'b'], others: { region: 'eu' } };
    expect(encode(registration, { prefix: '/staging/backends' })).toEqual({
      key: '/staging/backends/shop/a',
      value: '10.0.0.1:80?port=8000&weight=3&tags=a,b&region=eu',
    });
  });

  test('takes undefined for not given', () => {
    expect(encode({ ...shop, weight: undefined, others: undefined, servicePort: undefined })).toEqual(encode(shop));
  });

  test('writes what docker-register writes', () => {
    fc.assert(
      fc.property(anyRegistration, (inner) => {
        fc.pre(!(isLoopback(inner.address.host) && inner.address.port === inner.servicePort));
        expect(encode(registrationOf(inner))).toEqual({
          key: keyOf(prefix, inner),
          value: formatValue({ ...inner, eventAtMs: null }),
        });
      }),
    );
  });

  test.each<[string, Partial<RegistrationInput>, RegExp]>([
    ['a service', { service: 'a/b' }, /^service: "a\/b" is not a service name: /],
    ['an id', { id: '' }, /^id: "" is not an id: /],
    ['a host', { address: { host: 'example.org', port: 80 } }, /^address: .*"example\.org" is not an IP address/],
    ['a port', { address: { host: '10.0.0.1', port: 80.5 } }, /^address: "80\.5" is not a port/],
    ['a service port', { servicePort: 0 }, /^servicePort: "0" is not a port/],
    ['a weight', { weight: 257 }, /^attribute: weight: "257" is not a number from 1 to 256/],
    [
      'what would be two attributes',
      { zone: 'eu&weight=9' },
      /^attribute: zone: "eu&weight=9" is not up to 64 letters/,
    ],
    ['another attribute of a name that has a meaning', { others: { weight: '9' } }, /^others: "weight=9" is none/],
    ['another attribute of another alphabet', { others: { note: 'a&b' } }, /^others: "note=a&b" is none/],
    [
      'the listener itself',
      { address: { host: '127.0.0.1', port: 80 } },
      /^value: .*points back to the listener itself/,
    ],
  ])('refuses %s', (_what, change, message) => {
    const refused = (): unknown => encode({ ...shop, ...change });
    expect(refused).toThrow(RangeError);
    expect(refused).toThrow(message);
  });

  test('refuses a prefix', () => {
    expect(() => encode(shop, { prefix: 'backends' })).toThrow(
      /^prefix "backends" is not a prefix: it starts with "\/"/,
    );
  });
});

describe('decode', () => {
  test('fills in the defaults', () => {
    const registration: Registration = {
      ...shop,
      servicePort: 80,
      state: 'ready',
      weight: 1,
      backup: false,
      maxconn: null,
      proxyProtocol: null,
      slowStartMs: null,
      healthcheckMs: null,
      zone: null,
      tags: [],
      mode: 'tcp',
      check: null,
      checkStatus: null,
      checkIntervalMs: null,
      balance: 'roundrobin',
      sticky: null,
      httpHosts: [],
      httpPath: null,
      others: {},
    };
    expect(decode('/backends/shop/a', '10.0.0.1:80')).toEqual({ ok: true, registration });
  });

  test('reads whatever encode writes', () => {
    fc.assert(
      fc.property(anyRegistration, (inner) => {
        fc.pre(!(isLoopback(inner.address.host) && inner.address.port === inner.servicePort));
        const registration = registrationOf(inner);
        const { key, value } = encode(registration);
        expect(decode(key, value)).toEqual({ ok: true, registration });
      }),
    );
  });

  test.each([
    [
      '/elsewhere/shop/a',
      '10.0.0.1:80',
      /^"\/elsewhere\/shop\/a" is not a key of the form \/backends\/<service>\/<id>/,
    ],
    ['/backends/shop/a', 'nonsense', /^"nonsense" is not an address/],
    ['/backends/shop/a', '10.0.0.1:80?weight=0', /^weight: "0" is not a number from 1 to 256/],
    [
      '/backends/drain:/10.0.0.1',
      'by hand',
      /^"\/backends\/drain:\/10\.0\.0\.1" is no registration: it drains 10\.0\.0\.1/,
    ],
  ])('%s %s is none', (key, value, reason) => {
    expect(decode(key, value)).toEqual({ ok: false, reason: expect.stringMatching(reason) as unknown });
  });
});

test.each([
  [{ etcdHosts: [] }, /^etcdHosts: "" has an empty part; give host, host:port or URL/],
  [{ etcdHosts: ['10.0.0.256'] }, /^etcdHosts: "10\.0\.0\.256" is not an etcd host/],
  [{ etcdHosts: ['a'], prefix: '/a/' }, /^prefix "\/a\/" is not a prefix/],
  [{ etcdHosts: ['a'], staleMs: -1 }, /^staleMs is -1, and must be a number of milliseconds/],
  [{ etcdHosts: ['a'], staleMs: NaN }, /^staleMs is NaN/],
])('watchCatalog refuses %j at once', (options, message) => {
  const refused = (): unknown => watchCatalog(options);
  expect(refused).toThrow(RangeError);
  expect(refused).toThrow(message);
});

test('watchCatalog refuses a password in etcdHosts without repeating it', () => {
  const refused = (): unknown => watchCatalog({ etcdHosts: ['http://me:hush@etcd'] });
  expect(refused).toThrow('etcdHosts has a user or password in it');
  expect(refused).not.toThrow('hush');
});

describe('who writes JavaScript', () => {
  const callers: Readonly<Record<string, (...given: never[]) => unknown>> = { encode, decode, watchCatalog };
  const etcdHosts = ['10.0.0.10'];
  test.each<[string, readonly unknown[], string]>([
    ['encode', [], 'registration is undefined, and must be an object with service, id and address'],
    ['encode', [null], 'registration is null, and must be an object with service, id and address'],
    ['encode', [{ ...shop, service: 5 }], 'service is 5, and must be a string'],
    ['encode', [{ ...shop, id: undefined }], 'id is undefined, and must be a string'],
    [
      'encode',
      [{ ...shop, address: '10.0.0.1:80' }],
      'address is "10.0.0.1:80", and must be an object with host and port',
    ],
    ['encode', [{ ...shop, address: { host: '10.0.0.1', port: '80' } }], 'address.port is "80", and must be a number'],
    ['encode', [{ ...shop, weight: '3' }], 'weight is "3", and must be a number'],
    ['encode', [{ ...shop, backup: 'false' }], 'backup is "false", and must be true or false'],
    ['encode', [{ ...shop, zone: true }], 'zone is true, and must be a string or null'],
    ['encode', [{ ...shop, tags: 'a' }], 'tags is "a", and must be an array of strings'],
    ['encode', [{ ...shop, others: { a: 1 } }], 'others is an object, and must be an object of strings'],
    ['encode', [shop, null], 'options is null, and must be an object'],
    ['encode', [shop, { prefix: 5 }], 'prefix is 5, and must be a string'],
    ['decode', [], 'key is undefined, and must be a string'],
    ['decode', ['/backends/a/b'], 'value is undefined, and must be a string'],
    ['decode', ['/backends/a/b', Buffer.from('x')], 'value is an object, and must be a string'],
    ['watchCatalog', [], 'options is undefined, and must be an object'],
    ['watchCatalog', [{}], 'etcdHosts is undefined, and must be an array of strings'],
    [
      'watchCatalog',
      [{ etcdHosts: 'http://u:secret@10.0.0.10' }],
      'etcdHosts is a string, and must be an array of strings',
    ],
    ['watchCatalog', [{ etcdHosts: [5] }], 'etcdHosts is an array of 1, and must be an array of strings'],
    ['watchCatalog', [{ etcdHosts, signal: {} }], 'signal is an object, and must be an AbortSignal'],
    ['watchCatalog', [{ etcdHosts, staleMs: '5' }], 'staleMs is "5", and must be a number of milliseconds, 0 or more'],
    ['watchCatalog', [{ etcdHosts, staleMs: -1 }], 'staleMs is -1, and must be a number of milliseconds, 0 or more'],
    [
      'watchCatalog',
      [{ etcdHosts, logger: { info: () => undefined } }],
      'logger is an object, and must be an object with debug, info, warn and error',
    ],
  ])('is told what is wrong: %s(%j)', (name, given, message) => {
    const called = (): unknown => callers[name]?.(...(given as never[]));
    expect(called).toThrow(RangeError);
    expect(called).toThrow(message);
  });
});
