import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifySignature } from '../../../src/adapters/ed25519.js';
import { eventTimeOf, formatValue, keyOf, maxOwnBytes, maxValueBytes, parseValue } from '../../../src/core/keyspace.js';
import { sealOf, signatureOf, unsealed, withoutSignature } from '../../../src/core/signature.js';
import { anyRegistration } from '../support/arbitraries.js';
import { accepted } from '../support/parsed.js';
import { pairOf, sealBy } from '../support/signing.js';
import { prefix } from '../support/registrations.js';

const key = '/backends/whoami/0123456789ab';
const value = '198.18.0.20:49153?port=8000&at=2026-11-27T01:20:11.123Z';
const own = pairOf('a');
const sealed = sealBy('a').seal(key, value);

/** Whether it is signed by that key, as a reader finds out. */
function isGood(at: string, text: string): boolean {
  const signature = signatureOf(at, text);
  return signature !== null && signature.by === own.id && verifySignature(own.publicKey, signature.text, signature.sig);
}

test('stands at the end of the value, and is the same each time', () => {
  expect(sealed).toMatch(
    /^198\.18\.0\.20:49153\?port=8000&at=2026-11-27T01:20:11\.123Z&by=[0-9a-f]{16}&sig=[A-Za-z0-9_-]{86}$/,
  );
  expect(sealBy('a').seal(key, value)).toBe(sealed);
  expect(sealBy('a').seal(key, '198.18.0.20:80')).toMatch(/^198\.18\.0\.20:80\?by=[0-9a-f]{16}&sig=/);
  expect(sealBy('a').seal('/backends/drain:/a', 'by hand')).toMatch(/^by hand\?by=[0-9a-f]{16}&sig=/);
});

test('is none of the attributes that templates get, and what reads no signatures reads the rest', () => {
  expect(accepted(parseValue(sealed))).toEqual(accepted(parseValue(value)));
  expect(accepted(parseValue(sealed)).others.size).toBe(0);
  expect(eventTimeOf(sealed)).toBe(eventTimeOf(value));
});

test('fits into the value with the longest that a registration may say for itself', () => {
  const longest = `198.18.0.20:80?x=${'y'.repeat(maxOwnBytes - 17)}`;
  expect(Buffer.byteLength(sealBy('a').seal(key, longest))).toBe(maxValueBytes);
});

test('taken off leaves what was sealed; what has none is left as it is', () => {
  expect(withoutSignature(sealed)).toBe(value);
  expect(withoutSignature(value)).toBe(value);
  expect(withoutSignature(sealBy('a').seal(key, '198.18.0.20:80'))).toBe('198.18.0.20:80');
});

describe('a signature', () => {
  const anySealed = anyRegistration.map((registration) => {
    const at = keyOf(prefix, registration);
    return { at, text: sealBy('a').seal(at, formatValue(registration)) };
  });

  test('holds for every registration', () => {
    fc.assert(
      fc.property(anySealed, ({ at, text }) => {
        expect(isGood(at, text)).toBe(true);
      }),
    );
  });

  test('holds no more once a byte of key or value is another, is missing or is one more', () => {
    const spot = fc.record({
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      how: fc.constantFrom('alter', 'cut', 'add'),
    });
    const altered = (text: string, { at, byte, how }: { at: number; byte: number; how: string }): string => {
      const bytes = Buffer.from(text);
      const place = at % bytes.length;
      const rest = bytes.subarray(how === 'add' ? place : place + 1);
      return Buffer.concat([bytes.subarray(0, place), Buffer.from(how === 'cut' ? [] : [byte]), rest]).toString();
    };
    fc.assert(
      fc.property(anySealed, spot, fc.boolean(), ({ at, text }, where, isKey) => {
        const [otherKey, otherText] = isKey ? [altered(at, where), text] : [at, altered(text, where)];
        fc.pre(otherKey !== at || otherText !== text);
        expect(isGood(otherKey, otherText)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('has one spelling: its last character has bits that do not count, and they must be zero', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const good = Array.from(alphabet).filter((last) => isGood(key, sealed.slice(0, -1) + last));
    expect(good).toEqual([sealed.slice(-1)]);
  });

  test.each([
    ['another key of etcd', '/backends/other/0123456789ab', sealed],
    ['a text behind it', key, `${sealed}&weight=2`],
    ['a newline behind it', key, `${sealed}\n`],
    ['another signature before it', key, sealBy('a').seal(key, `${sealed}&weight=9`).replace('&weight=9', '')],
  ])('does not hold with %s', (_what, at, text) => {
    expect(isGood(at, text)).toBe(false);
  });
});

describe('a seal', () => {
  test.each([
    ['its own', sealBy('a'), sealed, value],
    ['that of another', sealBy('b'), sealed, null],
    ['none', sealBy('a'), value, null],
    ['its own for another value', sealBy('a'), sealed.replace('49153', '49154'), null],
    ['none where none is put', unsealed, value, value],
    ['one where none is put', unsealed, sealed, null],
  ])('opens %s', (_what, seal, text, opened) => {
    expect(seal.open(key, text)).toBe(opened);
  });

  test('does not open what it sealed for another key of etcd', () => {
    expect(sealBy('a').open('/backends/other/0123456789ab', sealed)).toBeNull();
  });

  test('takes another key when there is one', () => {
    let pair = pairOf('a');
    const seal = sealOf(() => pair);
    expect(seal.seal(key, value)).toBe(sealed);
    pair = pairOf('b');
    expect(seal.seal(key, value)).toBe(sealBy('b').seal(key, value));
    expect(seal.open(key, sealed)).toBeNull();
  });
});
