import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryOf, keyTextOf } from '../../../../src/adapters/etcd/entry.js';
import { maxKeyBytes, maxValueBytes, parseKey, parseValue } from '../../../../src/core/keyspace.js';
import { anyHostileKey } from '../../support/hostile.js';
import { prefix } from '../../support/registrations.js';

const long = (text: string, byte = 0): Buffer => Buffer.concat([Buffer.from(text.repeat(100_000)), Buffer.of(byte)]);
const valueOf = (value: Buffer): string =>
  entryOf({
    key: Buffer.from('/backends/web/a'),
    value,
    create_revision: '1',
    mod_revision: '1',
    version: '1',
    lease: '0',
  }).value;

describe('the text of a key', () => {
  test('is the key itself where it is UTF-8', () => {
    expect(keyTextOf(Buffer.from('/backends/wéb/😀'))).toBe('/backends/wéb/😀');
  });

  test.each([
    [
      'bytes that are no UTF-8',
      Buffer.from('/backends/web/\xff', 'latin1'),
      Buffer.from('/backends/web/\xfe', 'latin1'),
    ],
    ['what stands for such bytes', Buffer.from('/backends/web/\xff', 'latin1'), Buffer.from('/backends/web/\ufffd')],
    ['keys that are too long', long('/backends'), long('/backends', 1)],
    ['long keys and their own text', long('k'), Buffer.from(keyTextOf(long('k')))],
  ])('is another for another key: %s', (_what, one, other) => {
    expect(keyTextOf(one)).not.toBe(keyTextOf(other));
  });

  test('is no longer than a key of the grammar, and rejected where it is not the key itself', () => {
    const text = keyTextOf(long(`${prefix}/`));
    expect(text.length).toBeLessThan(maxKeyBytes);
    expect(parseKey(prefix, text).ok).toBe(false);
    expect(parseKey(prefix, keyTextOf(Buffer.from('/backends/web/\xff', 'latin1'))).ok).toBe(false);
  });

  test('is never that of two keys, whatever bytes they are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyHostileKey, { selector: (key) => key.toString('latin1') }), (keys) => {
        expect(new Set(keys.map(keyTextOf)).size).toBe(keys.length);
      }),
    );
  });
});

describe('a value', () => {
  test.each(['x', 'é', '…', '😀', '\xff'])('that is too long is kept as far as shows that it is: %s', (unit) => {
    const value = valueOf(
      Buffer.from(`10.0.0.1:80?note=${unit.repeat(maxValueBytes)}`, unit === '\xff' ? 'latin1' : 'utf8'),
    );
    expect(value.length).toBeLessThanOrEqual(maxValueBytes + 1);
    expect(parseValue(value)).toMatchObject({ ok: false, reason: 'its value is longer than 2048 bytes' });
  });

  test('that is as long as the grammar takes is whole', () => {
    const value = `10.0.0.1:80?note=${'x'.repeat(maxValueBytes - 17)}`;
    expect(parseValue(valueOf(Buffer.from(value))).ok).toBe(true);
    expect(valueOf(Buffer.from(value))).toBe(value);
  });
});
