import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveHttp, textAnswer, type Answer, type TextAnswer } from '../adapters/http/server.js';
import { messageOf, SettingError } from '../core/errors.js';
import { formatBind, type BindAddress } from '../core/haproxy/bind.js';
import type { PageUpdate } from '../core/page-update.js';
import { runTasks } from '../daemon/lifecycle.js';
import { retry } from '../daemon/retry.js';
import type { StatusFeed } from '../daemon/status-feed.js';
import type { Logger } from '../ports/log.js';

/** Where `npm run build` puts it; the same from the source and from `dist`. */
const pageDirectory = fileURLToPath(new URL('../../dist/page/', import.meta.url));

const types = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
]);

/** By path. */
export type PageFiles = ReadonlyMap<string, TextAnswer>;

/** @throws SettingError where the page was not built */
export async function readPage(): Promise<PageFiles> {
  try {
    const files = await Promise.all(
      (await readdir(pageDirectory)).map(async (name): Promise<[string, TextAnswer][]> => {
        const type = types.get(extname(name));
        if (type === undefined) return [];
        const body = await readFile(join(pageDirectory, name), 'utf8');
        return [[name === 'index.html' ? '/' : `/${name}`, { status: 200, type, body }]];
      }),
    );
    return new Map(files.flat());
  } catch (error) {
    throw new SettingError(
      `STATUS_BIND needs the status page, which is not built (npm run build): ${messageOf(error)}`,
    );
  }
}

export interface StatusPageOptions {
  readonly bind: BindAddress;
  readonly files: PageFiles;
  readonly feed: StatusFeed;
  readonly log: Logger;
}

/** The page, and what keeps it up to date. A port that is taken costs these alone, until it is free. */
export async function serveStatusPage(
  { bind, files, feed, log }: StatusPageOptions,
  signal: AbortSignal,
): Promise<void> {
  const paths = new Map<string, () => Answer>([...[...files].map(fileAnswer), ['/events', () => eventsOf(feed)]]);
  const what = `status page on ${formatBind(bind)} (STATUS_BIND)`;
  await runTasks(
    [
      (both) => feed.run(both),
      (both) => retry((healthy) => serveHttp({ bind, paths }, healthy, both), { what, log, signal: both }),
    ],
    signal,
  );
}

function fileAnswer([path, answer]: [string, TextAnswer]): [string, () => Answer] {
  return [path, () => answer];
}

/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
function eventsOf(feed: StatusFeed): Answer {
  if (feed.isFull()) return textAnswer(503, 'too many look on; close a page elsewhere');
  return {
    status: 200,
    type: 'text/event-stream',
    stream: async (write, closed) => {
      for await (const update of feed.follow(closed)) await write(eventOf(update));
    },
  };
}

/** JSON has no line break in it. */
export function eventOf(update: PageUpdate): string {
  return `data: ${JSON.stringify(update)}\n\n`;
}
