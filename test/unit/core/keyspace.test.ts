import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatValue,
  keyOf,
  keyspaceOf,
  maxValueLength,
  parseKey,
  parsePrefix,
  parseValue,
} from '../../../src/core/keyspace.js';
import { defaultAttributes } from '../../../src/core/service.js';
import { anyRegistration } from '../support/arbitraries.js';
import { accepted, reasonOf } from '../support/parsed.js';
import { prefix, registrationWith } from '../support/registrations.js';

/** What must never reach a template: white space, quotes, control characters, or a backslash. */
const unsafe = /[\s\p{Cc}"'`\\]/u;

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

describe('a prefix', () => {
  test.each(['/backends', '/a/b-c/d_e.f', '/0'])('may be %s', (text) => {
    expect(accepted(parsePrefix(text))).toBe(text);
  });

  test.each(['', '/', 'backends', '/backends/', '//backends', '/a//b', '/back ends', '/bäckends', '/a\n'])(
    'may not be %j',
    (text) => {
      expect(reasonOf(parsePrefix(text))).toContain('is not a prefix: it starts with "/"');
    },
  );

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
      weight: 20,
      state: 'drain',
    });
    expect(formatValue(all)).toBe(
      '[2001:db8::7]:49153?port=8000&mode=http&balance=leastconn&check=/healthz&weight=20&state=drain',
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
  const bare = { ...defaultAttributes, address: { host: '10.170.71.226', port: 49153 }, servicePort: 49153 };

  test.each([
    ['10.170.71.226:49153', bare],
    ['10.170.71.226:49153?', bare],
    ['10.170.71.226:49153?port=8000', { ...bare, servicePort: 8000 }],
    ['10.170.71.226:49153?state=drain&port=8000', { ...bare, servicePort: 8000, state: 'drain' }],
    ['10.170.71.226:49153?check=tcp', bare],
    ['10.170.71.226:49153?check=/', { ...bare, check: '/' }],
    ['10.170.71.226:49153?weight=256', { ...bare, weight: 256 }],
    ['10.170.71.226:49153?zone=b&canary', bare],
    ['10.170.71.226:49153?note=a=b', bare],
  ])('is read from %s', (text, value) => {
    expect(accepted(parseValue(text))).toEqual(value);
  });

  test.each([
    ['', '"" is not an address'],
    ['?port=80', '"" is not an address'],
    [':8000', '":8000" is not an address'],
    ['web:8000', '"web" is not an IP address'],
    ['10.0.0.1:80 ', '"80 " is not a port'],
    ['10.0.0.1:80\n', '"80\\n" is not a port'],
    ['10.0.0.1:80?port=0', 'port: "0" is not a port (1 to 65535)'],
    ['10.0.0.1:80?port=', 'port: "" is not a port (1 to 65535)'],
    ['10.0.0.1:80?port', 'port: "" is not a port (1 to 65535)'],
    ['10.0.0.1:80?port=80?mode=http', 'port: "80?mode=http" is not a port (1 to 65535)'],
    ['10.0.0.1:80?port=1&port=2', 'attribute "port" is given twice'],
    ['10.0.0.1:80?zone=a&zone=b', 'attribute "zone" is given twice'],
    ['10.0.0.1:80?mode=udp', 'mode: "udp" is not tcp or http'],
    ['10.0.0.1:80?mode=HTTP', 'mode: "HTTP" is not tcp or http'],
    ['10.0.0.1:80?balance=fastest', 'balance: "fastest" is not one of roundrobin, leastconn, source, random'],
    ['10.0.0.1:80?check=healthz', 'check: "healthz" is not a path like /healthz'],
    ['10.0.0.1:80?check=', 'check: "" is not a path like /healthz'],
    ['10.0.0.1:80?check=/a b', 'check: "/a b" is not a path like /healthz'],
    ['10.0.0.1:80?check=/a%0a', 'check: "/a%0a" is not a path like /healthz'],
    ['10.0.0.1:80?check=/{{x}}', 'check: "/{{x}}" is not a path like /healthz'],
    ['10.0.0.1:80?weight=0', 'weight: "0" is not a number from 1 to 256'],
    ['10.0.0.1:80?weight=257', 'weight: "257" is not a number from 1 to 256'],
    ['10.0.0.1:80?weight=1.5', 'weight: "1.5" is not a number from 1 to 256'],
    ['10.0.0.1:80?weight=-1', 'weight: "-1" is not a number from 1 to 256'],
    ['10.0.0.1:80?state=gone', 'state: "gone" is not ready or drain'],
    [`10.0.0.1:80?note=${'x'.repeat(maxValueLength)}`, 'its value has 1041 characters, more than 1024'],
  ])('is not read from %j', (text, reason) => {
    expect(reasonOf(parseValue(text))).toContain(reason);
  });
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
    ['/backends/wéb/a', '"wéb" is not a service name'],
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
  /** A valid text with one piece of it replaced: close enough to the grammar to get far into the parser. */
  const mutated = (valid: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc
      .tuple(
        valid,
        fc.nat(),
        fc.nat(5),
        fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('\n', ' ', '"', '&', '')),
      )
      .map(([text, at, length, piece]) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + piece + text.slice(start + length);
      });
  const anything = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));

  test.each([
    ['value', mutated(anyRegistration.map(formatValue)), parseValue],
    ['key', mutated(anyRegistration.map((r) => keyOf(prefix, r))), (text: string) => parseKey(prefix, text)],
  ])(
    'as %s is either rejected with a reason, or holds nothing that has a meaning in haproxy.cfg',
    (_what, near, parse) => {
      fc.assert(
        fc.property(fc.oneof(near, anything), (text) => {
          const parsed = parse(text);
          if (parsed.ok) expect(stringsIn(parsed.value).filter((piece) => unsafe.test(piece))).toEqual([]);
          else expect(parsed.reason).not.toBe('');
        }),
        { numRuns: 1_000 },
      );
    },
  );

  test('as a reason for a log is one line, and of bounded length', () => {
    fc.assert(
      fc.property(fc.oneof(anything, fc.string({ minLength: 200, maxLength: 1_100 })), (text) => {
        const parsed = parseValue(text);
        fc.pre(!parsed.ok);
        expect(parsed.reason).not.toMatch(/[\n\r]/);
        // Eighty characters of it, each escaped to six at the worst.
        expect(parsed.reason.length).toBeLessThan(600);
      }),
    );
  });
});
