import type { IRangeResponse, IRequestOp } from 'etcd3';
import type { HeldEntry } from '../../ports/registry.js';
import type { Ask } from './connection.js';
import { entryOf } from './entry.js';
import { maxOperations } from './transactions.js';

type Call = <T>(ask: Ask<T>) => Promise<T>;

/**
 * What stands under these keys, and under all that hang on the lease. It costs etcd as much as there are of them, whatever else
 * it has; not at one revision, where they are more than a transaction takes.
 */
export async function keysOfLease(lease: string, keys: Iterable<string>, call: Call): Promise<HeldEntry[]> {
  const { keys: attached } = await call(({ leaseClient }, options) =>
    leaseClient.leaseTimeToLive({ ID: lease, keys: true }, options),
  );
  const asked = [...new Set([...keys, ...attached.map((key) => key.toString())])];
  const entries: HeldEntry[] = [];
  for (let at = 0; at < asked.length; at += maxOperations) {
    const success: IRequestOp[] = asked
      .slice(at, at + maxOperations)
      .map((key) => ({ request_range: { key: Buffer.from(key) } }));
    const { responses } = await call(({ kv }, options) => kv.txn({ success }, options));
    for (const { response_range: found } of responses as readonly { readonly response_range?: IRangeResponse }[])
      entries.push(...(found?.kvs ?? []).map(entryOf));
  }
  return entries;
}
