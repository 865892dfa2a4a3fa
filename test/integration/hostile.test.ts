import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import { closed, freePorts } from './support/free-ports.js';
import { hostileEntries, hugeEntries, type RawEntry } from './support/hostile.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const seed = 1_414;
const transactionSize = 128;
const inFlight = 8;

const stand = useStand();
let a: BackEnd;
let b: BackEnd;
let c: BackEnd;
let site: Site;

beforeEach(async () => {
  [a, b, c] = [await stand.backEnd('a'), await stand.backEnd('b'), await stand.backEnd('c')];
  // As it is for a user: the watch is to tell what happens, and not the poll.
  site = await stand.site({
    prefix: '/backends',
    env: { POLL: '5s', MAX_KEYS: '200000', MAX_KEYS_PER_LEASE: '200000' },
  });
});

/** In transactions as large as etcd takes them, several at a time. */
async function putAll(entries: readonly RawEntry[], size = transactionSize): Promise<void> {
  const chunks = Array.from({ length: Math.ceil(entries.length / size) }, (_, n) =>
    entries.slice(n * size, (n + 1) * size),
  ).values();
  const worker = async (): Promise<void> => {
    for (const chunk of chunks)
      await stand.etcd.client.kv.txn({ success: chunk.map((entry) => ({ request_put: entry })) });
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

/** What went wrong is told where nobody answers. */
async function get(at: number): Promise<string> {
  try {
    const response = await fetch(`http://127.0.0.1:${String(at)}/`, { signal: AbortSignal.timeout(5_000) });
    return await response.text();
  } catch (error) {
    return String(error);
  }
}

/** All keys but those of the services `good-…`. */
async function deleteBad(): Promise<void> {
  const ranges = [
    ['/backends/', '/backends/good-'],
    ['/backends/good.', '/backends0'],
  ] as const;
  const success = ranges.map(([key, end]) => ({
    request_delete_range: { key: Buffer.from(key), range_end: Buffer.from(end) },
  }));
  // A hundred thousand at once take etcd some seconds on a busy machine.
  await stand.etcd.client.kv.txn({ success }, { deadline: Date.now() + 120_000 });
}

/** What the file says before the first service, which no service touches, and behind. */
async function configuration(): Promise<{ head: string; listens: string }> {
  const text = await readFile(join(site.runDir, 'haproxy.cfg'), 'utf8');
  const at = text.indexOf('\nlisten ');
  return at === -1 ? { head: text, listens: '' } : { head: text.slice(0, at), listens: text.slice(at) };
}

/** Every line that may stand in a `listen` section of the services of the first test. */
const grammar = [
  /^$/,
  /^listen good-[01]:\d{1,5}$/,
  /^ {4}# [A-Za-z0-9 .,:;()-]+$/,
  /^ {4}bind 127\.0\.0\.1:\d{1,5}$/,
  /^ {4}maxconn \d{1,6}$/,
  /^ {4}mode (?:tcp|http)$/,
  /^ {4}balance roundrobin$/,
  /^ {4}option (?:forwardfor|httpchk)$/,
  /^ {4}http-request set-header X-Request-ID %\[uuid\(\)\] unless \{ req\.hdr\(X-Request-ID\) -m found \}$/,
  /^ {4}timeout http-request 10s$/,
  /^ {4}http-check send meth GET uri \/healthz ver HTTP\/1\.1 hdr Host good-1$/,
  /^ {4}server [abc] 127\.0\.0\.1:\d{1,5} weight 1 check inter [25]s fastinter 500ms downinter 1s rise 2 fall 2 observe layer4 error-limit 10 on-error mark-down$/,
];

function straysIn(listens: string): string[] {
  return listens.split('\n').filter((line) => !grammar.some((rule) => rule.test(line)));
}

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly key?: string;
}

function linesOf(output: string): Line[] {
  const lines = output.trim().split('\n');
  for (const line of lines) {
    expect(line).toMatch(/^[\x20-\x7e…]*$/);
    expect(line.length).toBeLessThan(2_000);
  }
  return lines.map((line) => JSON.parse(line) as Line);
}

async function residentMb(pid: number): Promise<string> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return `${String(Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024))} MB`;
}

const secondsSince = (startedAt: number): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;

/** Asks a service without end, while one of its endpoints comes and goes, until it is stopped. */
function exercise({ port, head }: { port: number; head: string }): {
  /** Time from the put of each endpoint to its first answer. */
  readonly tookMs: number[];
  /** @throws what went wrong */
  stop(): Promise<void>;
} {
  let goesOn = true;
  const wrong: string[] = [];
  const tookMs: number[] = [];
  const traffic = async (): Promise<void> => {
    while (goesOn) {
      const answer = await get(port);
      if (answer !== 'a' && answer !== 'b') wrong.push(answer);
      await sleep(5);
    }
  };
  const changes = async (): Promise<void> => {
    while (goesOn) {
      const startedAt = performance.now();
      await site.put('good-0/b', `${b.address}?port=${String(port)}`);
      await waitFor('the endpoint to answer', async () => (await get(port)) === 'b', {
        intervalMs: 5,
        timeoutMs: 60_000,
      });
      tookMs.push(Math.round(performance.now() - startedAt));
      const now = await configuration();
      if (now.head !== head) wrong.push(now.head);
      wrong.push(...straysIn(now.listens));
      await site.remove('good-0/b');
      const gone = async (): Promise<boolean> => !(await configuration()).listens.includes('server b ');
      await waitFor('the endpoint to go', gone, { intervalMs: 50, timeoutMs: 60_000 });
    }
  };
  const both = Promise.allSettled([traffic(), changes()]);
  return {
    tookMs,
    async stop() {
      goesOn = false;
      for (const outcome of await both) if (outcome.status === 'rejected') throw outcome.reason;
      expect(wrong).toEqual([]);
    },
  };
}

it('a hundred thousand hostile keys are each rejected alone, and good ones are served and followed all the while', async () => {
  const bad = hostileEntries({ seed, count: 100_000 });
  const huge = hugeEntries();
  const total = bad.length + huge.length;
  const { port, otherPort: httpPort } = site;
  await site.put('good-0/a', `${a.address}?port=${String(port)}`);
  await site.put('good-1/c', `${c.address}?port=${String(httpPort)}&mode=http&check=/healthz`);
  const running = site.start();
  await waitFor('both services', async () => (await get(port)) === 'a' && (await get(httpPort)) === 'c');
  const before = await residentMb(running.pid);
  const exercised = exercise({ port, head: (await configuration()).head });
  try {
    const startedAt = performance.now();
    await putAll(bad);
    await putAll(huge, 1);
    console.log(`${String(total)} keys put in ${secondsSince(startedAt)}; meanwhile a good one in the pool after (ms):`, exercised.tookMs.splice(0)); // prettier-ignore
    await waitFor('all to be told', async (seen) => seen((await site.lsJson()).problems.length) === total, {
      timeoutMs: 120_000,
    });
    exercised.tookMs.length = 0;
    await waitFor('three changes beside them', () => exercised.tookMs.length > 3, { timeoutMs: 120_000 });
    console.log(`all told after ${secondsSince(startedAt)}; beside them a good one in the pool after (ms):`, exercised.tookMs.splice(0), `memory ${before}, now ${await residentMb(running.pid)}`); // prettier-ignore
    const table = await site.run('ls');
    expect(table.output).toMatch(/^[\n\x20-\x7e…]*$/);
    expect(table.output).toContain(`and ${String(total - 50)} more; --json lists all ${String(total)}`);
    expect(table.output.split('\n').length).toBeLessThan(70);
    expect(Math.max(...table.output.split('\n').map((line) => line.length))).toBeLessThan(420);
    expect(await get(httpPort)).toBe('c');

    const told = linesOf(site.output()).filter(({ level, msg }) => level === 'warn' && msg.includes('not served'));
    const keys = told.flatMap(({ key }) => key ?? []);
    expect(keys.length).toBeLessThanOrEqual(40);
    expect(new Set(keys).size).toBe(keys.length);
    // The first number, and one for each minute that the burst went on.
    expect(told.length - keys.length).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 60_000);

    await deleteBad();
    await waitFor('none to be left', async (seen) => seen((await site.lsJson()).problems.length) === 0, {
      timeoutMs: 120_000,
    });
    await exercised.stop();
    const ends = linesOf(site.output()).filter(({ msg }) => msg.endsWith('no longer a problem'));
    expect(ends).toMatchObject([{ msg: 'many are no longer a problem' }]);
    expect(straysIn((await configuration()).listens)).toEqual([]);
  } finally {
    await exercised.stop();
  }
}, 600_000);

it('serves ten thousand endpoints of five hundred services that come in one go, after a handful of reloads', async () => {
  const open = createServer((socket) => socket.on('error', () => undefined).end());
  open.listen(0, '0.0.0.0');
  await once(open, 'listening');
  const { port } = open.address() as AddressInfo;
  const ports = (await freePorts(501)).filter((free) => free !== port).slice(0, 500);
  const entries = ports.flatMap((servicePort, service) =>
    Array.from({ length: 20 }, (_, n) => ({
      key: Buffer.from(`/backends/service-${String(service)}/${String(n)}`),
      value: Buffer.from(`127.1.${String(Math.floor(service / 2))}.${String((service % 2) * 100 + n + 1)}:${String(port)}?port=${String(servicePort)}`), // prettier-ignore
    })),
  );
  try {
    site.start();
    await waitFor('etcd', async () => (await site.lsJson()).catalog === 'live');
    const startedAt = performance.now();
    await putAll(entries);
    const putAfter = secondsSince(startedAt);
    await waitFor(
      'all to be served',
      async (seen) => {
        const { listeners } = await site.lsJson();
        const loaded = listeners.flatMap(({ endpoints }) => endpoints.filter(({ status }) => status !== 'not loaded'));
        return seen(loaded.length) === entries.length;
      },
      { timeoutMs: 120_000 },
    );
    const { haproxy, problems } = await site.lsJson();
    console.log(`10,000 endpoints put in ${putAfter}, told by ls after ${secondsSince(startedAt)}, ${String(haproxy.reloads)} reloads`); // prettier-ignore
    expect(problems).toEqual([]);
    expect(haproxy.reloads).toBeLessThanOrEqual(10);
  } finally {
    await site.stop();
    await closed(open);
  }
}, 300_000);
