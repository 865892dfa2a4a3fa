import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/core/address.js';
import {
  drainKeyOf,
  drainTargetOf,
  formatValue,
  keyOf,
  keyspaceOf,
  maxValueBytes,
  parseDrainTarget,
  parseKey,
  parsePrefix,
  parseValue,
  eventTimeOf,
  withoutTime,
} from '../../../src/core/keyspace.js';
import { accept, type Parsed } from '../../../src/core/result.js';
import { defaultAttributes } from '../../../src/core/attributes.js';
import type { Registration } from '../../../src/core/service.js';
import { anyRegistration } from '../support/arbitraries.js';
import { anyHostileKey, anyHostileValue } from '../support/hostile.js';
import { accepted, reasonOf } from '../support/parsed.js';
import { prefix, registrationWith } from '../support/registrations.js';

describe('a prefix', () => {
  test.each(['/backends', '/a/b-c/d_e.f', '/0'])('may be %s', (text) => {
    expect(accepted(parsePrefix(text))).toBe(text);
  });

  test.each([
    `/${'x'.repeat(256)}`,
    '',
    '/',
    'backends',
    '/backends/',
    '//backends',
    '/a//b',
    '/back ends',
    '/bäckends',
    '/a\n',
  ])('may not be %j', (text) => {
    expect(reasonOf(parsePrefix(text))).toContain('is not a prefix: it starts with "/"');
  });

  test('keeps a longer prefix of the same beginning out', () => {
    expect(keyspaceOf('/backends')).toBe('/backends/');
    expect(reasonOf(parseKey('/backends', '/backends-2/web/a'))).toContain('is not a key of the form');
  });
});

describe('a registration', () => {
  test('is written as README and design have it', () => {
    expect(keyOf(prefix, registrationWith())).toBe('/backends/whoami/0123456789ab');
    expect(formatValue(registrationWith())).toBe('10.170.71.226:49153?port=8000');
    const all = registrationWith({
      address: { host: '2001:db8::7', port: 49153 },
      mode: 'http',
      balance: 'leastconn',
      check: '/healthz',
      checkStatus: '200-299,401',
      checkIntervalMs: 10_000,
      sticky: 'cookie',
      weight: 20,
      backup: true,
      maxconn: 50,
      proxyProtocol: 'v2',
      slowStartMs: 30_000,
      healthcheckMs: 24_000,
      zone: 'eu-1a',
      state: 'drain',
      tags: ['blue', 'eu,west'],
      others: new Map([
        ['version', '2'],
        ['region', 'eu-1'],
      ]),
    });
    expect(formatValue(all)).toBe(
      '[2001:db8::7]:49153?port=8000&mode=http&balance=leastconn&check=/healthz&check-status=200-299,401&check-interval=10s&sticky=cookie&weight=20&backup=yes&maxconn=50&proxy-protocol=v2&slow-start=30s&healthcheck=24s&zone=eu-1a&tags=blue,eu\\,west&state=drain&region=eu-1&version=2',
    );
  });

  test('survives being written and read, whatever it says', () => {
    fc.assert(
      fc.property(anyRegistration, (registration) => {
        const key = accepted(parseKey(prefix, keyOf(prefix, registration)));
        expect({ ...key, ...accepted(parseValue(formatValue(registration))) }).toEqual(registration);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a value', () => {
  const bare = {
    ...defaultAttributes,
    address: { host: '10.170.71.226', port: 49153 },
    servicePort: 49153,
    eventAtMs: null,
    others: new Map(),
  };
  const time = '2026-11-27T01:20:11.123Z';

  test.each([
    ['10.170.71.226:49153', bare],
    ['10.170.71.226:49153?', bare],
    ['10.170.71.226:49153?port=8000', { ...bare, servicePort: 8000 }],
    ['10.170.71.226:49153?state=drain&port=8000', { ...bare, servicePort: 8000, state: 'drain' }],
    ['10.170.71.226:49153?check=tcp', bare],
    // What an older docker-register makes of SERVICE_HEALTHCHECK.
    ['10.170.71.226:49153?healthcheck=yes', bare],
    ['10.170.71.226:49153?healthcheck=500ms', bare],
    ['10.170.71.226:49153?check=/', { ...bare, check: '/' }],
    ['10.170.71.226:49153\n', bare],
    ['10.170.71.226:49153?x=a&x=b&&weight=2&', { ...bare, weight: 2, others: new Map([['x', 'b']]) }],
    ['10.170.71.226:49153?weight=256', { ...bare, weight: 256 }],
    ['10.170.71.226:49153?zone=b&canary', { ...bare, zone: 'b' }],
    ['10.170.71.226:49153?note=a b&Note=c&tags=a,b', { ...bare, tags: ['a', 'b'] }],
    [`10.170.71.226:49153?port=49153&at=${time}`, { ...bare, eventAtMs: Date.parse(time) }],
    [`10.170.71.226:49153?at=${time}&weight=2`, { ...bare, weight: 2, eventAtMs: Date.parse(time) }],
    // It is for measuring alone, and costs no endpoint.
    ['10.170.71.226:49153?at=yesterday', bare],
    ['10.170.71.226:49153?at=2026-13-27T01:20:11.123Z', bare],
    ['10.170.71.226:49153?note=a=b', { ...bare, others: new Map([['note', 'a=b']]) }],
  ])('is read from %s', (text, value) => {
    expect(accepted(parseValue(text))).toEqual(value);
  });

  test.each([
    ['', '"" is not an address'],
    ['?port=80', '"" is not an address'],
    [':8000', '":8000" is not an address'],
    ['web:8000', '"web" is not an IP address'],
    ['10.0.0.1:80 ', '"80 " is not a port'],
    ['10.0.0.1:80\n\n', '"80\\n" is not a port'],
    ['10.0.0.1:80?port=0', 'port: "0" is not a port (1 to 65535)'],
    ['10.0.0.1:80?port=', 'port: "" is not a port (1 to 65535)'],
    ['10.0.0.1:80?port', 'port: "" is not a port (1 to 65535)'],
    ['10.0.0.1:80?port=80?mode=http', 'port: "80?mode=http" is not a port (1 to 65535)'],
    ['10.0.0.1:80?port=1&port=2', 'attribute "port" is given twice'],
    ['10.0.0.1:80?zone=a&zone=b', 'attribute "zone" is given twice'],
    ['10.0.0.1:80?check-status=399-200', 'check-status: "399-200" is not a status code'],
    ['10.0.0.1:80?mode=udp', 'mode: "udp" is not tcp or http'],
    ['10.0.0.1:80?mode=HTTP', 'mode: "HTTP" is not tcp or http'],
    ['10.0.0.1:80?balance=fastest', 'balance: "fastest" is not roundrobin, leastconn, source, random or uri'],
    ['10.0.0.1:80?check=healthz', 'check: "healthz" is not tcp, or a path like /healthz'],
    ['10.0.0.1:80?check=', 'check: "" is not tcp, or a path like /healthz'],
    ['10.0.0.1:80?check=/a b', 'check: "/a b" is not tcp, or a path like /healthz'],
    ['10.0.0.1:80?check=/a%0a', 'check: "/a%0a" is not tcp, or a path like /healthz'],
    ['10.0.0.1:80?check=/{{x}}', 'check: "/{{x}}" is not tcp, or a path like /healthz'],
    ['10.0.0.1:80?weight=0', 'weight: "0" is not a number from 1 to 256'],
    ['10.0.0.1:80?weight=257', 'weight: "257" is not a number from 1 to 256'],
    ['10.0.0.1:80?weight=1.5', 'weight: "1.5" is not a number from 1 to 256'],
    ['10.0.0.1:80?weight=-1', 'weight: "-1" is not a number from 1 to 256'],
    ['10.0.0.1:80?state=gone', 'state: "gone" is not ready or drain'],
    [`10.0.0.1:80?note=${'x'.repeat(maxValueBytes)}`, 'its value is longer than 2048 bytes'],
  ])('is not read from %j', (text, reason) => {
    expect(reasonOf(parseValue(text))).toContain(reason);
  });
});

test('a value without its time is what it was before, whatever else it says', () => {
  const registration = registrationWith({ weight: 2, others: new Map([['x', 'at=1']]) });
  const timed = formatValue({ ...registration, eventAtMs: 1_764_206_411_123 });
  expect(timed).toBe('10.170.71.226:49153?port=8000&weight=2&x=at=1&at=2025-11-27T01:20:11.123Z');
  expect(withoutTime(timed)).toBe(formatValue(registration));
  expect(withoutTime(formatValue(registration))).toBe(formatValue(registration));
  expect(eventTimeOf(timed)).toBe(1_764_206_411_123);
  expect(eventTimeOf(formatValue(registration))).toBeNull();
});

describe('a loopback address', () => {
  test('is refused where it would be the listener itself', () => {
    expect(reasonOf(parseValue('127.0.0.1:8000'))).toContain('points back to the listener itself');
    expect(reasonOf(parseValue('[::1]:8000?port=8000'))).toContain('points back to the listener itself');
    expect(accepted(parseValue('127.0.0.1:8000?port=80')).servicePort).toBe(80);
  });
});

describe('a key', () => {
  test.each([
    ['/backends/whoami/0123456789ab', { service: 'whoami', id: '0123456789ab' }],
    ['/backends/whoami/0123456789ab:8000', { service: 'whoami', id: '0123456789ab:8000' }],
    ['/backends/A.b_c-d/by-hand.1', { service: 'A.b_c-d', id: 'by-hand.1' }],
  ])('is read from %s', (text, key) => {
    expect(accepted(parseKey(prefix, text))).toEqual(key);
  });

  test.each([
    ['', 'is not a key of the form /backends/<service>/<id>'],
    ['/backends', 'is not a key of the form'],
    ['/backends/', 'is not a key of the form'],
    ['/backends/web', 'is not a key of the form'],
    ['/backends/web/a/b', 'is not a key of the form'],
    ['/elsewhere/web/a', 'is not a key of the form'],
    ['/backends//a', '"" is not a service name'],
    ['/backends/-web/a', '"-web" is not a service name'],
    ['/backends/../a', '".." is not a service name'],
    ['/backends/web:80/a', '"web:80" is not a service name'],
    ['/backends/we b/a', '"we b" is not a service name'],
    ['/backends/wéb/a', '"w\\u00e9b" is not a service name'],
    [`/backends/${'x'.repeat(129)}/a`, 'is not a service name: 1 to 128'],
    ['/backends/web/', '"" is not an id'],
    ['/backends/web/:80', '":80" is not an id'],
    ['/backends/web/a b', '"a b" is not an id'],
    ['/backends/web/a;b', '"a;b" is not an id'],
    ['/backends/web/a\n', '"a\\n" is not an id'],
    [`/backends/web/${'x'.repeat(129)}`, 'is not an id: 1 to 128'],
  ])('is not read from %j', (text, reason) => {
    expect(reasonOf(parseKey(prefix, text))).toContain(reason);
  });
});

describe('whatever somebody writes', () => {
  /** Pieces of a valid text with anything between. */
  const near = fc.tuple(anyRegistration.map(formatValue), fc.string(), fc.nat()).map(([text, piece, at]) => {
    const cut = at % (text.length + 1);
    return text.slice(0, cut) + piece + text.slice(cut);
  });
  const anything = fc.oneof(near, fc.string(), fc.string({ unit: 'binary' }), fc.string({ minLength: 200 }));
  const text = (bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<string> => bytes.map((value) => value.toString());

  /** The grammar once more, in the words of docs/how-it-works.md and README.md. */
  const isKey = ({ service, id }: Pick<Registration, 'service' | 'id'>): boolean =>
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(service) && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(id);
  const isAddress = (formatted: string): boolean =>
    /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]{2,39}\]):[1-9]\d{0,4}$/.test(formatted);
  const isValue = (formatted: string): boolean => {
    const [address = '', query = ''] = formatted.split('?');
    const grammar = [
      'port=[1-9]\\d{0,4}',
      'mode=http',
      'balance=(?:leastconn|source|random|uri)',
      'check=/[A-Za-z0-9._~/-]*',
      'check-status=[-0-9,]{3,63}',
      'check-interval=[1-9]\\d*(?:ms|s|m|h)',
      'sticky=cookie',
      'http-host=[a-z0-9._*,-]{1,1000}',
      'http-path=(?:/[A-Za-z0-9._~@:+-]+)+',
      'weight=[1-9]\\d{0,2}',
      'backup=yes',
      'maxconn=[1-9]\\d{0,6}',
      'proxy-protocol=v[12]',
      'slow-start=[1-9]\\d*(?:ms|s|m|h)',
      'healthcheck=[1-9]\\d*(?:ms|s|m|h)',
      'zone=[A-Za-z0-9][A-Za-z0-9._-]{0,63}',
      'tags=[A-Za-z0-9._~:/,@+*=\\\\-]{1,2048}',
      'state=drain',
    ].map((attribute) => `(?:&${attribute})?`);
    const other = '&[a-z][a-z0-9_-]{0,31}=[A-Za-z0-9._~:/,@+*=-]{1,128}';
    const attributes = new RegExp(`^${grammar.join('')}(?:${other})*$`);
    return isAddress(address) && attributes.test(`&${query}`);
  };

  test.each<[string, fc.Arbitrary<string>, (text: string) => Parsed<boolean>]>([
    ['value', text(anyHostileValue), (value) => checked(parseValue(value), (v) => isValue(formatted(v)))],
    ['key', text(anyHostileKey), (key) => checked(parseKey(prefix, key), isKey)],
    ['address', text(anyHostileValue), (address) => checked(parseAddress(address), (a) => isAddress(formatAddress(a)))],
  ])(
    'as %s is either rejected with a reason that is printable and bounded, or says nothing but what the grammar allows',
    (_what, hostile, parse) => {
      fc.assert(
        fc.property(fc.oneof(hostile, anything), (value) => {
          const parsed = parse(value);
          if (parsed.ok) expect(parsed.value).toBe(true);
          else expect(parsed.reason).toMatch(/^[\x20-\x7e…]{1,300}$/);
        }),
        { numRuns: 2_000 },
      );
    },
  );

  function checked<T>(parsed: Parsed<T>, check: (value: T) => boolean): Parsed<boolean> {
    return parsed.ok ? accept(check(parsed.value)) : parsed;
  }

  function formatted(value: Omit<Registration, 'service' | 'id'>): string {
    return formatValue({ ...value, service: 'web', id: 'a' });
  }

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'names of JavaScript are names like others: %s',
    (name) => {
      const bare = accepted(parseValue('10.0.0.1:80'));
      expect({ ...accepted(parseValue(`10.0.0.1:80?${name}=1`)), others: bare.others }).toEqual(bare);
      expect(Object.getPrototypeOf(accepted(parseValue(`10.0.0.1:80?${name}=1`)))).toBe(Object.prototype);
    },
  );
});

describe('a drain', () => {
  test.each([
    ['0123456789ab', '0123456789ab'],
    ['0123456789ab:80', '0123456789ab:80'],
    [`0123456789ab${'0'.repeat(52)}`, '0123456789ab'],
    ['198.18.0.20', '198.18.0.20'],
    ['2001:DB8::7', '2001:db8::7'],
    ['::1', '::1'],
  ])('of %s has a key that is read again', (text, target) => {
    expect(accepted(parseDrainTarget(text))).toBe(target);
    expect(drainKeyOf('/backends', target)).toBe(`/backends/drain:/${target}`);
    expect(drainTargetOf('/backends', drainKeyOf('/backends', target))).toBe(target);
  });

  test.each(['', 'a b', '/etc', '../x'])('is not of %j', (text) => {
    expect(reasonOf(parseDrainTarget(text))).toContain('nor the address of a host');
    expect(drainTargetOf('/backends', drainKeyOf('/backends', text))).toBeNull();
  });

  test('is no key of a service', () => {
    expect(drainTargetOf('/backends', '/backends/web/a')).toBeNull();
    expect(reasonOf(parseKey('/backends', '/backends/drain:/a'))).toContain('"drain:" is not a service name');
  });
});
