/**
 * Runs on a client host of the lab: load.ts RATE TIMEOUT_MS STATS_PORT SERVICE:PORT...
 *
 * Sends RATE requests per second to each service at HOST (the environment variable), a connection each, whether the ones before were
 * answered or not, and looks at the pools on HAProxy's page. Prints a line of JSON for whatever there is to tell, until its
 * input ends.
 */
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export type Told =
  /** The first look at the pools was successful, or failed: whoever wants to know when the load is on. */
  | { readonly kind: 'started' }
  | {
      readonly kind: 'failed';
      readonly service: string;
      readonly fromMs: number;
      readonly toMs: number;
      readonly error: string;
    }
  | { readonly kind: 'slow'; readonly service: string; readonly fromMs: number; readonly tookMs: number }
  /** Who has answered in the last second, and how often. */
  | {
      readonly kind: 'answered';
      readonly atMs: number;
      readonly service: string;
      readonly by: Readonly<Record<string, number>>;
    }
  /** Ids of the servers that take traffic, when that changes; null while HAProxy does not tell. */
  | { readonly kind: 'pool'; readonly atMs: number; readonly up: Readonly<Record<string, readonly string[]>> | null };

const lookEveryMs = 200;
const slowMs = 1_000;

const [rate = 0, timeoutMs = 0, statsPort = 0] = process.argv.slice(2, 5).map(Number);
const services = process.argv.slice(5).map((argument) => {
  const [name = '', port = ''] = argument.split(':');
  return { name, port: Number(port) };
});
const host = process.env['HOST'] ?? '';
const ended = text(process.stdin).then(() => (over = true));
let over = false;

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

/** The body of an answer with status 200. */
function ask(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path, agent: false }, (response) => {
      text(response).then((body) => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`status ${String(response.statusCode)}`));
      }, reject);
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${String(timeoutMs)} ms`)), timeoutMs);
    request.on('error', reject).on('close', () => {
      clearTimeout(timer);
    });
  });
}

async function send({ name, port }: (typeof services)[number]): Promise<void> {
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  let by: Record<string, number> = {};
  const one = async (): Promise<void> => {
    const fromMs = Date.now();
    try {
      const id = (await ask(port, '/')).replace(/^I'm /, '').trim();
      by[id] = (by[id] ?? 0) + 1;
      const tookMs = Date.now() - fromMs;
      if (tookMs > slowMs) tell({ kind: 'slow', service: name, fromMs, tookMs });
    } catch (error) {
      tell({
        kind: 'failed',
        service: name,
        fromMs,
        toMs: Date.now(),
        error: error instanceof Error ? error.message : String(error),
      });
    }
  };
  for (let n = 0; !over; n += 1) {
    await sleep(startedAt + (n * 1_000) / rate - performance.now());
    const request = one().finally(() => underWay.delete(request));
    underWay.add(request);
    if (n % rate === rate - 1) {
      tell({ kind: 'answered', atMs: Date.now(), service: name, by });
      by = {};
    }
  }
  await Promise.all(underWay);
  tell({ kind: 'answered', atMs: Date.now(), service: name, by });
}

/** Rows of HAProxy's statistics (its management guide, 9.1), by the names in their first line. */
async function pools(): Promise<Record<string, string[]> | null> {
  let csv: string;
  try {
    csv = await ask(statsPort, '/;csv');
  } catch {
    return null;
  }
  const [header = '', ...rows] = csv.trim().split('\n');
  const names = header.replace(/^# /, '').split(',');
  const up: Record<string, string[]> = Object.fromEntries(services.map(({ name }) => [name, []]));
  for (const row of rows) {
    const cells = row.split(',');
    const cell = (name: string): string => cells[names.indexOf(name)] ?? '';
    const [service = ''] = cell('pxname').split(':');
    if (cell('type') !== '2' || !cell('status').startsWith('UP') || cell('weight') === '0') continue;
    up[service]?.push(cell('svname'));
  }
  return up;
}

async function look(): Promise<void> {
  let last = '';
  while (!over) {
    const up = await pools();
    const now = JSON.stringify(up);
    if (now !== last) tell({ kind: 'pool', atMs: Date.now(), up });
    if (last === '') tell({ kind: 'started' });
    last = now;
    await sleep(lookEveryMs);
  }
}

await Promise.all([ended, look(), ...services.map(send)]);
