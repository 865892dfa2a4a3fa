import type { Etcd3, IEvent, IWatchResponse } from 'etcd3';
import type { Registry, WatchEvent } from '../../ports/registry.js';
import { entryOf, keyTextOf } from './entry.js';

export interface WatchOptions {
  readonly client: Etcd3;
  readonly range: { readonly key: Buffer; readonly range_end: Buffer };
  /** Everything after this revision is told. */
  readonly revision: number;
  readonly onEvents: Parameters<Registry['watch']>[1];
  readonly signal: AbortSignal;
}

/**
 * One watch on one gRPC stream, which ends with the stream. etcd3's Watcher is not used: it reconnects by itself, seconds
 * late, and after a second drop from the wrong revision.
 */
export async function watchPrefix({ client, range, revision, onEvents, signal }: WatchOptions): Promise<void> {
  const stream = await client.watchClient.watch();
  try {
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        resolve();
      };
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      stream.on('data', (response: IWatchResponse) => {
        const reason = endOf(response);
        if (reason !== null) reject(new Error(reason));
        else if (response.events.length > 0) onEvents(response.events.map(eventOf), Number(response.header.revision));
      });
      stream.on('error', reject);
      stream.on('end', () => {
        reject(new Error('etcd ended the stream'));
      });
      stream.write({ create_request: { ...range, start_revision: String(revision + 1) } });
    });
  } finally {
    stream.cancel();
  }
}

function endOf({ canceled, cancel_reason, compact_revision }: IWatchResponse): string | null {
  if (!canceled) return null;
  return compact_revision === '0' ? `cancelled: ${cancel_reason}` : `revision compacted at ${compact_revision}`;
}

function eventOf({ type, kv }: IEvent): WatchEvent {
  return type === 'Put' ? { kind: 'put', entry: entryOf(kv) } : { kind: 'delete', key: keyTextOf(kv.key) };
}
