import { describe, expect, test } from 'vitest';
import { keyTextOf } from '../../../src/adapters/etcd/entry.js';
import { sizedRecordOf } from '../../../src/core/entry-size.js';
import { maxKeyBytes } from '../../../src/core/keyspace.js';
import { defaultLimits } from '../../../src/core/limits.js';

const prefix = '/backends';
const key = '/backends/web/a';
const value = '10.0.0.1:80?port=80';
const judged = (
  entry: { readonly key?: string; readonly value?: string },
  limits: { readonly keyBytes?: number; readonly valueBytes?: number } = {},
): unknown =>
  sizedRecordOf(
    { key, value, createRevision: 1, ...entry },
    { prefix, trust: null, limits: { ...defaultLimits, ...limits } },
  );

describe('a key and its value', () => {
  test('are read where they are as long as the limits allow', () => {
    const limits = { keyBytes: key.length, valueBytes: value.length };
    expect(judged({}, limits)).toMatchObject({ kind: 'endpoint', endpoint: { service: 'web' } });
  });

  test('are rejected with the limit where they are longer, whatever they say', () => {
    expect(judged({}, { keyBytes: key.length - 1 })).toEqual({
      kind: 'rejected',
      key,
      reason: `its key is longer than ${String(key.length - 1)} bytes (MAX_KEY_BYTES)`,
      limit: 'key_bytes',
    });
    expect(judged({}, { valueBytes: value.length - 1 })).toEqual({
      kind: 'rejected',
      key,
      reason: `its value is longer than ${String(value.length - 1)} bytes (MAX_VALUE_BYTES)`,
      limit: 'value_bytes',
    });
    expect(judged({ value: 'x'.repeat(9) }, { valueBytes: 8 })).toMatchObject({ limit: 'value_bytes' });
    expect(judged({ key: '/backends/drain:/a', value: 'why' }, { valueBytes: 2 })).toMatchObject({ kind: 'rejected' });
  });

  test('are measured in bytes, not in characters', () => {
    expect(judged({ value: 'é'.repeat(5) }, { valueBytes: 9 })).toMatchObject({ limit: 'value_bytes' });
  });

  test('are rejected for the length that the key had, not for that of the text which stands for it', () => {
    const cut = keyTextOf(Buffer.from(key.padEnd(maxKeyBytes + 1, 'x')));
    expect(cut.length).toBeLessThan(maxKeyBytes);
    expect(judged({ key: cut })).toMatchObject({ kind: 'rejected', limit: 'key_bytes' });
  });
});
