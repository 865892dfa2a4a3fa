import { setTimeout as sleep } from 'node:timers/promises';
import { askStatus } from '../adapters/control/client.js';
import type { DiscoverStatus } from '../core/discover-status.js';
import { messageOf } from '../core/errors.js';
import { asciiJson, statusText } from './discover-ls.js';
import type { Paint } from './paint.js';

const lookEveryMs = 1_000;
/** Home, and everything below it gone: what was there stays in the scrollback. */
const clear = '\u001b[H\u001b[2J';

export interface WatchOptions {
  readonly socket: string;
  readonly json: boolean;
  /** Standard output is a terminal, which is drawn anew; elsewhere each change is printed once. */
  readonly isTerminal: boolean;
  readonly paint: Paint;
  readonly print: (text: string) => void;
}

/** `ls --watch`: prints how it is, again and again, until `signal` fires. A daemon that is away is told of, and waited for. */
export async function watchStatus(
  { socket, json, isTerminal, paint, print }: WatchOptions,
  signal: AbortSignal,
): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    const [what, text] = await askStatus(socket).then(
      (body): [string, string] => {
        const status = body as DiscoverStatus;
        return [essenceOf(status), json ? `${asciiJson(status).replace(/\n */g, ' ')}\n` : statusText(status, paint)];
      },
      (error: unknown): [string, string] => [messageOf(error), `${messageOf(error)}\n`],
    );
    if (isTerminal && !json) print(clear + text);
    else if (what !== last) print(json ? text : `${text}\n`);
    last = what;
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
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
