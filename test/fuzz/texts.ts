import fc from 'fast-check';
import { names, pieces } from '../unit/support/hostile.js';

const morePieces = [
  '\r',
  '\u001b[31m',
  '\u001b[39m',
  '\u0007',
  '\u0008',
  '\u009c',
  '\u2066',
  '\u2029',
  '<',
  '>',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  'javascript:alert(1)',
  '&amp;',
  '%0d%0a',
  '%1b',
  '%[env(HOME)]',
  '{{{listeners}}}',
  '{{/servers}}',
  '\\n',
  '\\u001b',
  '<<\n',
  ';shutdown sessions server a/b',
  '\n}',
  '","level":"error","msg":"forged',
  '\udfff',
  'К', // Cyrillic, as many below: letters that look like those of the grammar
  'K', // Kelvin, whose small letter is ASCII
  'ı',
  '٣',
  '–',
];

const punctuation = Array.from({ length: 95 }, (_, n) => String.fromCharCode(0x20 + n)).filter(
  (one) => !/\w/.test(one),
);

/** Single characters first: a grammar that is one too wide is found by them. */
const piece = fc.oneof(fc.constantFrom(...punctuation), fc.constantFrom(...pieces, ...morePieces));
const length = fc.constantFrom(65, 129, 257, 1_100, 2_100, 5_000);

/** What is made of a text that fits the grammar: near misses, which get far into a parser. */
type Mutation = (text: string, at: number, inserted: string) => string;
const mutations: readonly Mutation[] = [
  (text, at, inserted) => text.slice(0, at) + inserted + text.slice(at),
  (text, at, inserted) => text.slice(0, at) + inserted + text.slice(at + 1),
  (text, at) => text.slice(0, at) + text.slice(at, at + 1) + text.slice(at),
  (text, at) => text.slice(0, at) + text.slice(at + 1),
  (text, at) => text.slice(0, at),
  (text, _at, inserted) => text + inserted,
  (text, _at, inserted) => inserted + text,
  (text, at) => text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) || 32) ^ 0x20) + text.slice(at + 1),
  (text, at) => text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) || 32) + 0xfee0) + text.slice(at + 1),
];

export function mutated(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(valid, fc.constantFrom(...mutations), fc.nat(300), piece)
    .map(([text, mutate, at, inserted]) => mutate(text, at % (text.length + 1), inserted));
}

function lengthened(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(valid, length).map(([text, to]) => text + (text.at(-1) ?? 'x').repeat(Math.max(0, to - text.length)));
}

const garbage = fc.oneof(
  piece,
  fc.constantFrom(...names),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

/** Of five such texts four fit the grammar: what has several of them is to be accepted as often as not. */
export function mostlyValid(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof({ weight: 4, arbitrary: valid }, { weight: 1, arbitrary: hostile(valid) });
}

export function hostile(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 10, arbitrary: mutated(valid) },
    { weight: 3, arbitrary: mutated(mutated(valid)) },
    { weight: 2, arbitrary: lengthened(valid) },
    { weight: 3, arbitrary: garbage },
  );
}
