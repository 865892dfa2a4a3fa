import fc from 'fast-check';
import { formatValue, keyOf } from '../../../src/core/keyspace.js';
import { anyRegistration } from './arbitraries.js';
import { prefix } from './registrations.js';

/** What has a meaning to a terminal, a log, a template, a path, HAProxy or JavaScript, and what only looks harmless. */
export const pieces = [
  '\n',
  '\r\n',
  '\0',
  '\t',
  ' ',
  '\u007f',
  '\u0085',
  '\u001b[2J\u001b[31m',
  '\u009b31m',
  '\u001b]0;title\u0007',
  '\u202e',
  '\u200b',
  '\u2028',
  '\ufeff',
  '"',
  "'",
  '`',
  '\\',
  ';',
  '#',
  '$',
  '${HOME}',
  '$(id)',
  '{{name}}',
  '{{{name}}}',
  '{{=<% %>=}}',
  '../',
  '..',
  '//',
  '%0a',
  '%',
  '?',
  '&',
  '=',
  ':',
  '@',
  '*',
  'е', // Cyrillic
  '．', // full-width
  '１',
  '😀',
  '\ud800',
  '\nlisten evil\n    bind *:22\n',
  '\n    server evil 6.6.6.6:6 check',
  ' weight 256 check port 22',
] as const;

/** Names that are none, and names that are good and mean something elsewhere. */
export const names = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'global',
  'defaults',
  'listen',
  'stats',
  'server',
  'check',
  'if',
  'unless',
  '-web',
  '.',
  '..',
  '',
] as const;

export const addresses = [
  '10.0.0.1',
  ':80',
  '10.0.0.1:0',
  '10.0.0.1:65536',
  '10.0.0.1:080',
  '10.0.0.1:+80',
  '10.0.0.1:8e1',
  '010.0.0.1:80',
  '10.0.0.256:80',
  '0x0a.0.0.1:80',
  '167772161:80',
  '0.0.0.0:80',
  '[::]:80',
  '[::ffff:10.0.0.1]:80',
  '[fe80::1%eth0]:80',
  '2001:db8::7:80',
  'localhost:80',
  'unix@/run/docker.sock',
  'fd@3:80',
  'abns@x:80',
  'ipv4@10.0.0.1:80',
  '127.0.0.1:80',
  '10.0.0.1:80,10.0.0.2:80',
  'http://10.0.0.1:80',
] as const;

export const queries = [
  'port=0',
  'port=65536',
  'port=0080',
  'port=-1',
  'port=80&port=80',
  'port=80&port=81',
  '&',
  '&&',
  '=&=',
  'mode=TCP',
  'mode=tcp ',
  'balance=hash',
  'balance=uri depth 3',
  'check=/%0d%0a',
  'check=/a b',
  'check=/;#',
  'check=//../..?x',
  'weight=0',
  'weight=257',
  'weight=1e2',
  'state=maint',
  '__proto__=1&__proto__=2',
  'constructor=1&constructor=2',
  'toString&toString',
] as const;

const piece = fc.constantFrom(...pieces);
const byte = fc.integer({ min: 0, max: 255 });
const garbage = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));

/** A valid text in which some characters give way to a piece: close enough to the grammar to get far into the parser. */
function mutated(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(valid, fc.nat(), fc.nat(3), piece).map(([text, at, length, inserted]) => {
    const start = at % (text.length + 1);
    return text.slice(0, start) + inserted + text.slice(start + length);
  });
}

/** A valid text with one byte of it changed: mostly no UTF-8 any more. */
function corrupted(valid: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc.tuple(valid, fc.nat(), byte).map(([text, at, changed]) => {
    const bytes = Buffer.from(text);
    bytes[at % bytes.length] = changed;
    return bytes;
  });
}

function joined(by: string, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((texts) => texts.join(by));
}

const utf8 = (texts: fc.Arbitrary<string>): fc.Arbitrary<Buffer> => texts.map((text) => Buffer.from(text));
const goodKey = anyRegistration.map((registration) => keyOf(prefix, registration));
const goodValue = anyRegistration.map(formatValue);
const segment = fc.oneof(fc.constantFrom(...names), piece, fc.string({ maxLength: 20 }));

const below = `${prefix}/`;
export const anyHostileKey: fc.Arbitrary<Buffer> = fc.oneof(
  utf8(mutated(goodKey).map((text) => (text.startsWith(below) ? text : below + text))),
  corrupted(goodKey).map((bytes) => Buffer.concat([Buffer.from(below), bytes.subarray(below.length)])),
  utf8(fc.array(segment, { maxLength: 4 }).map((segments) => below + segments.join('/'))),
  garbage.map((bytes) => Buffer.concat([Buffer.from(below), bytes])),
);

/** Few: they are long. */
const crowded = fc
  .nat(2_000)
  .map((count) => `10.0.0.1:80?${Array.from({ length: count }, (_, n) => `a${String(n)}=1`).join('&')}`);

export const anyHostileValue: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 20, arbitrary: utf8(mutated(goodValue)) },
  { weight: 20, arbitrary: corrupted(goodValue) },
  { weight: 20, arbitrary: utf8(joined('?', fc.constantFrom(...addresses), fc.constantFrom('', ...queries))) },
  { weight: 20, arbitrary: utf8(joined('&', goodValue, fc.constantFrom(...queries))) },
  { weight: 20, arbitrary: garbage },
  { weight: 1, arbitrary: utf8(crowded) },
);
