import type { EventEmitter } from 'node:events';
import { InterceptingCall, type Interceptor, type InterceptorOptions, type NextCall } from '@grpc/grpc-js';
import type { Etcd3, IEvent, IWatchResponse } from 'etcd3';
import { formatDuration } from '../../core/duration.js';
import type { Registry, WatchEvent } from '../../ports/registry.js';
import type { Member } from './client.js';
import { entryOf, keyTextOf } from './entry.js';
import { watchRefused } from './login.js';
import { createProxyQuestions, type ProxyQuestions } from './proxy-questions.js';

/** How often a member is asked for a word on the watch, and how long it may be silent. */
const questionMs = 2_000;
const silenceMs = 5_000;
/**
 * What we call the watch, and a member of etcd (from 3.4 on) calls it then; a gRPC proxy of etcd begins to number them with 0,
 * up to 3.6 at least.
 */
const watchId = '1';

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
    ({ watchClient }, { interceptors }) => watchOn(watchClient, interceptors, { member, ...watch }),
    Date.now() + silenceMs,
  );
}

async function watchOn(
  client: Etcd3['watchClient'],
  interceptors: readonly Interceptor[],
  { member, range, revision, onEvents, signal }: WatchOptions,
): Promise<void> {
  signal.throwIfAborted();
  const stream = await client.watch({ interceptors: [...interceptors, requireLeader] });
  let questions: NodeJS.Timeout | undefined;
  let proxy: ProxyQuestions | null = null;
  let silence: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = resolve;
      signal.addEventListener('abort', onAbort, { once: true });
      // It may have fired while the stream was opened.
      if (signal.aborted) resolve();
      const heard = (): void => {
        silence?.refresh();
      };
      silence = setTimeout(() => {
        reject(new Error(`no word for ${formatDuration(silenceMs)}`));
      }, silenceMs);
      const begin = (id: string): void => {
        member.showAs(id === watchId ? 'member' : 'proxy');
        if (member.isProxy())
          proxy = createProxyQuestions({
            member,
            key: range.key,
            id,
            revision,
            write(request) {
              stream.write(request);
            },
          });
        // A member that is stopped, or whose connection is half open, is silent like one that has no news.
        questions = setInterval(() => {
          if (proxy === null) stream.write({ progress_request: {} });
          else void proxy.ask(Date.now() + silenceMs).then(heard, reject);
        }, questionMs);
      };
      stream.on('data', (response: IWatchResponse) => {
        heard();
        const isOurs = proxy?.isOurs(response) !== false;
        const reason = isOurs ? endOf(response, revision) : (proxy?.reasonIn(response) ?? null);
        if (reason !== null) reject(new Error(reason));
        else if (!isOurs) return;
        else if (questions === undefined && response.created) begin(response.watch_id);
        else if (response.events.length > 0) onEvents(response.events.map(eventOf), lastRevisionOf(response.events));
      });
      stream.on('error', reject);
      stream.on('end', () => {
        reject(new Error('etcd ended the stream'));
      });
      stream.write({ create_request: { ...range, start_revision: String(revision + 1), watch_id: watchId } });
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

/**
 * Not that of the header: to a watch that has fallen behind etcd tells 1,000 revisions at a time, each time with the revision of now.
 */
function lastRevisionOf(events: readonly IEvent[]): number {
  return events.reduce((last, { kv }) => Math.max(last, Number(kv.mod_revision)), 0);
}

function eventOf({ type, kv }: IEvent): WatchEvent {
  return type === 'Put' ? { kind: 'put', entry: entryOf(kv) } : { kind: 'delete', key: keyTextOf(kv.key) };
}
