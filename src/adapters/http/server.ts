import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf } from '../../core/errors.js';
import type { BindAddress } from '../../core/haproxy/bind.js';
import { isOwnHost } from './own-host.js';

/** What a path answers to a GET: a text, or a stream that goes on while somebody reads it. */
export type Answer = TextAnswer | StreamAnswer;

export interface TextAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface StreamAnswer {
  readonly status: 200;
  readonly type: string;
  /**
   * Writes until `closed` fires: the reader went away, or the server ends. A write resolves when more can be taken, so that
   * a slow reader fills no memory; it rejects where the reader is gone, or takes nothing for a while.
   */
  readonly stream: (write: (text: string) => Promise<void>, closed: AbortSignal) => Promise<void>;
}

export interface HttpServerOptions {
  readonly bind: BindAddress;
  /** By path, without a query. */
  readonly paths: ReadonlyMap<string, () => Answer | Promise<Answer>>;
}

/** Nobody needs more of a page for operators, and whoever opens them without end gets no further. */
const mostConnections = 100;
const requestTimeoutMs = 10_000;
/** Who takes nothing of a stream for so long is let go. */
const slowestReadMs = 30_000;

/**
 * Serves pages for operators until `signal` fires: GET and HEAD, nothing else. Rejects where the port can't be had.
 *
 * @param onOpen it is served now
 */
export async function serveHttp(
  { bind, paths }: HttpServerOptions,
  onOpen: () => void,
  signal: AbortSignal,
): Promise<void> {
  const server = createServer({
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: requestTimeoutMs / 4,
    maxHeaderSize: 8192,
  });
  server.maxConnections = mostConnections;
  server.on('request', (request, response) => {
    answerOf(request, { bind, paths })
      .then((answer) => send(answer, { request, response, signal }))
      // The reader is gone; nobody is left to tell.
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    const close = (): void => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    };
    server.once('error', reject);
    server.listen(bind.port, bind.host === '*' ? '0.0.0.0' : bind.host, () => {
      if (signal.aborted) close();
      else signal.addEventListener('abort', close, { once: true });
      onOpen();
    });
  });
}

async function answerOf(
  { method, url = '', headers }: IncomingMessage,
  { bind, paths }: HttpServerOptions,
): Promise<Answer> {
  if (!isOwnHost(bind, headers.host)) return textAnswer(421, 'ask for it by its address, or as localhost');
  if (method !== 'GET' && method !== 'HEAD') return textAnswer(405, 'only GET and HEAD');
  const answer = paths.get(url.split('?')[0] ?? '');
  if (answer === undefined) return textAnswer(404, `there are ${[...paths.keys()].join(', ')}`);
  try {
    return await answer();
  } catch (error) {
    return textAnswer(500, messageOf(error));
  }
}

export function textAnswer(status: number, text: string): TextAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

async function send(
  answer: Answer,
  { request, response, signal }: { request: IncomingMessage; response: ServerResponse; signal: AbortSignal },
): Promise<void> {
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    // What a page of ours needs is its own; nothing comes from elsewhere, and nothing goes there.
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if ('body' in answer) {
    response.end(answer.body);
    return;
  }
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  response.flushHeaders();
  const closed = AbortSignal.any([signal, gone.signal]);
  const write = async (text: string): Promise<void> => {
    if (response.write(text)) return;
    await once(response, 'drain', { signal: AbortSignal.any([closed, AbortSignal.timeout(slowestReadMs)]) });
  };
  await answer.stream(write, closed);
  response.end();
}
