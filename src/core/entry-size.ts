import { recordOf, type CatalogRecord, type Entry } from './catalog.js';
import { isCutKey } from './keyspace.js';
import type { DiscoverLimits } from './limits.js';
import type { Trust } from './signers.js';

export interface Judgement {
  readonly prefix: string;
  /** null: signatures do not matter */
  readonly trust: Trust | null;
  readonly limits: Pick<DiscoverLimits, 'keyBytes' | 'valueBytes'>;
}

/** What a key says where it is no longer than the limits allow, and why it is rejected where it is. */
export function sizedRecordOf(entry: Entry, { prefix, trust, limits }: Judgement): CatalogRecord {
  const { key, value } = entry;
  if (isCutKey(key) || Buffer.byteLength(key) > limits.keyBytes) {
    const reason = `its key is longer than ${String(limits.keyBytes)} bytes (MAX_KEY_BYTES)`;
    return { kind: 'rejected', key, reason, limit: 'key_bytes' };
  }
  if (Buffer.byteLength(value) > limits.valueBytes) {
    const reason = `its value is longer than ${String(limits.valueBytes)} bytes (MAX_VALUE_BYTES)`;
    return { kind: 'rejected', key, reason, limit: 'value_bytes' };
  }
  return recordOf(prefix, entry, trust);
}
