import fc from 'fast-check';
import { recordOf } from '../../../src/core/catalog.js';
import { formatValue, keyOf } from '../../../src/core/keyspace.js';
import { anyRegistration } from '../../unit/support/arbitraries.js';
import { anyHostileKey, anyHostileValue } from '../../unit/support/hostile.js';
import { prefix } from '../../unit/support/registrations.js';

/** A key of etcd with its value: bytes, whatever somebody wrote there. */
export interface RawEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

const goodKey = anyRegistration.map((registration) => Buffer.from(keyOf(prefix, registration)));
const goodValue = anyRegistration.map((registration) => Buffer.from(formatValue(registration)));
const anyHostile: fc.Arbitrary<RawEntry> = fc.oneof(
  fc.record({ key: anyHostileKey, value: fc.oneof(goodValue, anyHostileValue) }),
  fc.record({ key: goodKey, value: anyHostileValue }),
);

/** So many entries with different keys, all of which break the grammar; the same ones for the same seed. */
export function hostileEntries({ seed, count }: { seed: number; count: number }): RawEntry[] {
  const entries = new Map<string, RawEntry>();
  for (let round = seed; entries.size < count; round += 1) {
    for (const entry of fc.sample(anyHostile, { seed: round, numRuns: count - entries.size + 100 })) {
      if (entries.size < count && isRejected(entry)) entries.set(entry.key.toString('latin1'), entry);
    }
  }
  return [...entries.values()];
}

function isRejected({ key, value }: RawEntry): boolean {
  const entry = { key: key.toString(), value: value.toString(), createRevision: 1 };
  return recordOf(prefix, entry).kind === 'rejected';
}

/** As large as etcd takes them (1.5 MB in a request), and some that are good but for their size. */
export function hugeEntries(): RawEntry[] {
  const attributes = Array.from({ length: 10_000 }, (_, n) => `a${String(n)}=1`).join('&');
  const of = (key: string, value: string): RawEntry => ({ key: Buffer.from(key), value: Buffer.from(value) });
  const megabyte = 1_000_000;
  return Array.from({ length: 12 }, (_, n) => [
    of(`${prefix}/huge/value-${String(n)}`, `10.0.0.${String(n)}:80?note=${'x'.repeat(megabyte)}`),
    of(`${prefix}/huge/crowded-${String(n)}`, `10.0.0.1:80?${attributes}`),
    of(`${prefix}/huge/wide-${String(n)}`, `10.0.0.${String(n)}:80?note=${'é'.repeat(megabyte / 2)}`),
    of(`${prefix}/huge/${'k'.repeat(100_000)}${String(n)}`, '10.0.0.1:80'),
    of(`${prefix}/${'\n'.repeat(100_000)}${String(n)}/x`, '10.0.0.1:80'),
  ]).flat();
}
