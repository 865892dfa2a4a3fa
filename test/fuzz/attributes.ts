import fc from 'fast-check';

/** Each fits its grammar, and all together are too much for a value. */
const manyWords = Array.from({ length: 30 }, (_, n) => String(n).padEnd(64, 'x')).join(',');
const manyHosts = Array.from({ length: 15 }, (_, n) => `${String(n).padEnd(60, 'x')}.a`).join(',');

/** Attributes of a value with texts that fit their grammar, as somebody writes them. */
export const validTexts: Readonly<Record<string, fc.Arbitrary<string>>> = {
  port: fc.constantFrom('80', '443', '5432', '8000', '65535', '1936', '22', '19977'),
  mode: fc.constantFrom('tcp', 'http'),
  balance: fc.constantFrom('roundrobin', 'leastconn', 'source', 'random', 'uri'),
  check: fc.constantFrom('tcp', '/', '/healthz', '/a/b.c~d_-', '/~//..'),
  'check-status': fc.constantFrom('200', '200-299,401', '100-599'),
  'check-interval': fc.constantFrom('500ms', '2s', '1h', '90s'),
  sticky: fc.constant('cookie'),
  'http-host': fc.constantFrom(
    'shop.example',
    '*.shop.example',
    '*',
    'a,b.c',
    'Shop.Example, www.shop.example',
    '_x-y.z',
    manyHosts,
  ),
  'http-path': fc.constantFrom('/', '/api', '/api/v2/', '/a/b.c~d', '/@:+-_'),
  weight: fc.constantFrom('1', '20', '256'),
  backup: fc.constantFrom('yes', 'no', 'TRUE', '0'),
  maxconn: fc.constantFrom('1', '1000', '1000000'),
  'proxy-protocol': fc.constantFrom('v1', 'v2'),
  'slow-start': fc.constantFrom('1s', '30s', '1h'),
  healthcheck: fc.constantFrom('24s', '1h', 'yes', 'no'),
  zone: fc.constantFrom('eu-1', 'eu.2_b'),
  tags: fc.constantFrom('a', 'a,b', 'a\\,b,c', 'v=1,urlprefix-/x', 'a b', manyWords),
  state: fc.constantFrom('ready', 'drain'),
  note: fc.constantFrom('x', 'a=b', '~:/,@+*=-'),
  region: fc.constantFrom('eu', 'us-1'),
  constructor: fc.constantFrom('x', 'y'),
  at: fc.constantFrom('2026-11-23T11:05:00.123Z', '9999-99-99T99:99:99.999Z'),
};

export const attributeName = fc.constantFrom(...Object.keys(validTexts));

/** A name with a text of its own grammar. */
export const validPair: fc.Arbitrary<[string, string]> = fc.oneof(
  ...Object.entries(validTexts).map(([name, text]) => text.map((one): [string, string] => [name, one])),
);
