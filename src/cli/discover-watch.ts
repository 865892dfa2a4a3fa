import type { WriteStream } from 'node:tty';
import { setTimeout as sleep } from 'node:timers/promises';
import { askStatus } from '../adapters/control/client.js';
import type { DiscoverStatus } from '../core/discover-status.js';
import { messageOf } from '../core/errors.js';
import { asciiJson, statusText } from './discover-ls.js';
import { fitted, type TerminalSize } from './fit.js';
import type { Paint } from './paint.js';

const lookEveryMs = 1_000;
/** Home, and everything below it gone: what was there stays in the scrollback. */
const clear = '\u001b[H\u001b[2J';

export interface Terminal {
  size(): TerminalSize;
  /** @returns what ends it */
  onResize(listener: () => void): () => void;
}

export interface WatchOptions {
  readonly socket: string;
  readonly json: boolean;
  /** Where standard output is a terminal, it is drawn anew, as much as fits; elsewhere (null) each change is printed once. */
  readonly terminal: Terminal | null;
  readonly paint: Paint;
  readonly print: (text: string) => void;
}

/** `ls --watch`: prints how it is, again and again, until `signal` fires. A daemon that is away is told of, and waited for. */
export async function watchStatus(
  { socket, json, terminal, paint, print }: WatchOptions,
  signal: AbortSignal,
): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    const resized = new AbortController();
    const forget = terminal?.onResize(() => {
      resized.abort();
    });
    const [what, text] = await askStatus(socket).then(
      (body): [string, string] => {
        const status = body as DiscoverStatus;
        return [essenceOf(status), json ? `${asciiJson(status).replace(/\n */g, ' ')}\n` : statusText(status, paint)];
      },
      (error: unknown): [string, string] => [messageOf(error), `${messageOf(error)}\n`],
    );
    if (terminal !== null && !json) print(clear + fitted(text, terminal.size()));
    else if (what !== last) print(json ? text : `${text}\n`);
    last = what;
    await sleep(lookEveryMs, undefined, { signal: AbortSignal.any([signal, resized.signal]) }).catch(() => undefined);
    forget?.();
  }
}

/** What of it is a change, and not only time that passes or a connection more. */
function essenceOf({ catalog, haproxy, output, fault, listeners, problems }: DiscoverStatus): string {
  const endpoints = listeners.map((listener) => ({
    ...listener,
    endpoints: listener.endpoints.map(({ id, address, weight, status, stale }) => [id, address, weight, status, stale]),
  }));
  return JSON.stringify([catalog, haproxy, output, fault, endpoints, problems]);
}

/** Null where it is none. */
export function terminalOf(stream: WriteStream): Terminal | null {
  if (!stream.isTTY) return null;
  return {
    // Zero where nobody knows.
    size: () => ({ rows: knownOf(stream.rows), columns: knownOf(stream.columns) }),
    onResize(listener) {
      stream.on('resize', listener);
      return () => {
        stream.off('resize', listener);
      };
    },
  };
}

function knownOf(size: number): number {
  return size > 0 ? size : Infinity;
}
