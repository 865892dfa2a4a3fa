import type { EventEmitter } from 'node:events';
import { InterceptingCall, type Interceptor, type InterceptorOptions, type NextCall } from '@grpc/grpc-js';
import type { Etcd3, IEvent, IWatchResponse } from 'etcd3';
import { formatDuration } from '../../core/duration.js';
import type { Registry, WatchEvent } from '../../ports/registry.js';
import type { Member } from './client.js';
import { entryOf, keyTextOf } from './entry.js';
import { watchRefused } from './login.js';

/** How often etcd is asked for a word on the watch (a progress request, from etcd 3.4 on), and how long it may be silent. */
const questionMs = 2_000;
const silenceMs = 5_000;

export interface WatchOptions {
  readonly member: Member;
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
export function watchPrefix({ member, ...watch }: WatchOptions): Promise<void> {
  return member.use(
    ({ watchClient }, { interceptors }) => watchOn(watchClient, interceptors, watch),
    Date.now() + silenceMs,
  );
}

async function watchOn(
  client: Etcd3['watchClient'],
  interceptors: readonly Interceptor[],
  { range, revision, onEvents, signal }: Omit<WatchOptions, 'member'>,
): Promise<void> {
  signal.throwIfAborted();
  const stream = await client.watch({ interceptors: [...interceptors, requireLeader] });
  // A member that is stopped, or whose connection is half open, is silent like one that has no news.
  const questions = setInterval(() => {
    stream.write({ progress_request: {} });
  }, questionMs);
  let silence: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = resolve;
      signal.addEventListener('abort', onAbort, { once: true });
      // It may have fired while the stream was opened.
      if (signal.aborted) resolve();
      silence = setTimeout(() => {
        reject(new Error(`no word for ${formatDuration(silenceMs)}`));
      }, silenceMs);
      stream.on('data', (response: IWatchResponse) => {
        silence?.refresh();
        const reason = endOf(response, revision);
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
    clearInterval(questions);
    clearTimeout(silence);
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    cancelStream(stream);
  }
}

/**
 * Not by `cancel` alone: etcd3 takes the error that comes of it for one of the member, and closes the connections of all
 * calls to it, those of the next question too.
 */
export function cancelStream(stream: Awaited<ReturnType<Etcd3['watchClient']['watch']>>): void {
  // Its type tells less than it is.
  (stream as unknown as EventEmitter).removeAllListeners('error');
  stream.on('error', () => undefined);
  stream.cancel();
}

/**
 * A member that is cut off from its leader keeps its watches, and hears nothing. Asked for by this header (that of
 * clientv3.WithRequireLeader), it ends them after three election timeouts, 3 s by default.
 */
function requireLeader(options: InterceptorOptions, nextCall: NextCall): InterceptingCall {
  return new InterceptingCall(nextCall(options), {
    start: (metadata, listener, next) => {
      metadata.set('hasleader', 'true');
      next(metadata, listener);
    },
  });
}

/** Why the watch is over, or null while it stands. */
function endOf(response: IWatchResponse, revision: number): string | null {
  const { canceled, created, cancel_reason, compact_revision, header } = response;
  if (canceled)
    return compact_revision === '0' ? `${watchRefused}${cancel_reason}` : `revision compacted at ${compact_revision}`;
  // A member would keep such a watch, silent until it has counted so far: for years where its data was removed.
  if (created && Number(header.revision) < revision)
    return `this member is at revision ${header.revision}, before the listing (${String(revision)})`;
  return null;
}

function eventOf({ type, kv }: IEvent): WatchEvent {
  return type === 'Put' ? { kind: 'put', entry: entryOf(kv) } : { kind: 'delete', key: keyTextOf(kv.key) };
}
