import { readFile, stat } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import { freePorts } from './support/free-ports.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const signal = new AbortController().signal;
const mostKeys = 500;
const madKeys = 100_000;
const mostKeyBytes = 200;
const mostValueBytes = 600;

const stand = useStand();
let a: BackEnd;
let b: BackEnd;
let site: Site;
let metricsPort: number;

beforeEach(async () => {
  [a, b] = [await stand.backEnd('a'), await stand.backEnd('b')];
  const [metrics = 0, ...ports] = await freePorts(5);
  metricsPort = metrics;
  site = await stand.site({
    ports,
    // As it is for a user: the watch is to tell what happens, and not the poll.
    env: {
      POLL: '5s',
      STALE: '0s',
      MAX_KEYS_PER_LEASE: String(mostKeys),
      MAX_KEY_BYTES: String(mostKeyBytes),
      MAX_VALUE_BYTES: String(mostValueBytes),
      METRICS_BIND: `127.0.0.1:${String(metrics)}`,
    },
  });
});

const prefix = (): string => `/site-${String(site.port)}`;

/** Of one registrar: in transactions as large as etcd takes them, several at a time. */
async function putAll(lease: string, pairs: readonly (readonly [key: string, value: string])[]): Promise<void> {
  const chunks = Array.from({ length: Math.ceil(pairs.length / 128) }, (_, n) =>
    pairs.slice(n * 128, (n + 1) * 128),
  ).values();
  const worker = async (): Promise<void> => {
    for (const chunk of chunks)
      await stand.etcd.client.kv.txn({
        success: chunk.map(([key, value]) => ({
          request_put: { key: Buffer.from(`${prefix()}/${key}`), value: Buffer.from(value), lease },
        })),
      });
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

/** Where no other test has a listener at the same time. */
const madPort = 10_080;

/** Services of their own, and endpoints of a service of somebody else; a tenth breaks the grammar at some length. */
function madPairs(): [string, string][] {
  return Array.from({ length: madKeys }, (_, n) => {
    const address = `10.${String(n >> 16)}.${String((n >> 8) & 255)}.${String(n & 255)}:${String(madPort)}`;
    if (n % 10 === 0) return [`mad-${String(n)}/x`, 'x'.repeat(500)];
    return n % 2 === 0
      ? [`mad-${String(n)}/x`, `${address}?port=${String(1024 + (n % 60_000))}`]
      : [`mad/${String(n)}`, address];
  });
}

/** By a connection of its own, so that nobody waits for one that is kept; what went wrong is told where nobody answers. */
async function answerOf(port: number): Promise<string> {
  try {
    return await new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, agent: false, timeout: 5_000 }, (response) => {
        text(response).then(resolve, reject);
      })
        .on('error', reject)
        .on('timeout', () => {
          reject(new Error('no answer in 5 s'));
        });
    });
  } catch (error) {
    return String(error);
  }
}

async function metric(name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`);
  const line = (await response.text()).split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

interface Cost {
  readonly residentMb: number;
  readonly cpuMs: number;
}

async function costOf(pid: number): Promise<Cost> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  const times = (await readFile(`/proc/${String(pid)}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return {
    residentMb: Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024),
    cpuMs: (Number(times[11]) + Number(times[12])) * 10,
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN);
}

/** An honest registrar whose second endpoint comes and goes, and a client who asks all the while, until they are stopped. */
function exercise(lease: string): { phase(): string; stop(): Promise<void> } {
  const { port } = site;
  const wrong: string[] = [];
  let tookMs: number[] = [];
  let asked = 0;
  let goesOn = true;
  const traffic = async (): Promise<void> => {
    while (goesOn) {
      const answer = await answerOf(port);
      asked += 1;
      if (answer !== 'a' && answer !== 'b') wrong.push(answer);
      await sleep(5);
    }
  };
  const changes = async (): Promise<void> => {
    const key = `${prefix()}/good/b`;
    // Running, and not in maintenance; one that is out of the pool stands until its last connection has ended.
    const inPool = async (): Promise<boolean> =>
      / b \S+ 2 0 /.test(await site.ask(`show servers state good:${String(port)}`));
    while (goesOn) {
      const startedAt = performance.now();
      // With no deadline: etcd may be at work on the end of a hundred thousand keys.
      await stand.etcd.client
        .put(key)
        .value(`${b.address}?port=${String(port)}`)
        .lease(lease);
      await waitFor('the endpoint to come', inPool, { intervalMs: 2, timeoutMs: 30_000 });
      tookMs.push(performance.now() - startedAt);
      await stand.etcd.client.delete().key(key);
      await waitFor('the endpoint to go', async () => !(await inPool()), { intervalMs: 10, timeoutMs: 30_000 });
    }
  };
  const both = Promise.allSettled([traffic(), changes()]);
  return {
    phase() {
      const told = `${String(tookMs.length)} changes, p50 ${String(percentile(tookMs, 0.5))} ms, p99 ${String(percentile(tookMs, 0.99))} ms, ${String(asked)} requests`;
      [tookMs, asked] = [[], 0];
      return told;
    },
    async stop() {
      goesOn = false;
      for (const outcome of await both) if (outcome.status === 'rejected') throw outcome.reason;
      expect(wrong).toEqual([]);
    },
  };
}

it('a key or value that is too long costs only itself, and is named, logged and counted', async () => {
  const { port } = site;
  const lease = await stand.etcd.registry.grantLease(600_000, signal);
  const longKey = `long/${'k'.repeat(mostKeyBytes)}`;
  await putAll(lease, [
    ['good/a', `${a.address}?port=${String(port)}`],
    ['good/b', `${b.address}?port=${String(port)}&note=${'x'.repeat(mostValueBytes)}`],
    [longKey, `${b.address}?port=${String(port)}`],
  ]);
  site.start();
  await site.answers(port, 'a');
  await waitFor('both to be counted', async (seen) => seen(await metric('docker_discover_over_limit{limit="key_bytes"}')) === 1 && (await metric('docker_discover_over_limit{limit="value_bytes"}')) === 1); // prettier-ignore
  expect(await metric('docker_discover_limit{limit="value_bytes"}')).toBe(mostValueBytes);
  const { problems } = await site.lsJson();
  expect(problems).toEqual([
    {
      key: `${prefix()}/good/b`,
      reason: `its value is longer than ${String(mostValueBytes)} bytes (MAX_VALUE_BYTES)`,
      limit: 'value_bytes',
    },
    {
      key: `${prefix()}/${longKey}`,
      reason: `its key is longer than ${String(mostKeyBytes)} bytes (MAX_KEY_BYTES)`,
      limit: 'key_bytes',
    },
  ]);
  for (const { key } of problems) expect(site.output()).toContain(key);
  await stand.etcd.registry.revoke(lease, signal);
});

it('a registrar that goes mad is cut to its limit, costs nobody else anything, and all clears when its lease ends', async () => {
  const { port } = site;
  const honest = await stand.etcd.registry.grantLease(600_000, signal);
  const mad = await stand.etcd.registry.grantLease(600_000, signal);
  await putAll(honest, [['good/a', `${a.address}?port=${String(port)}`]]);
  const { pid } = site.start();
  await site.answers(port, 'a');
  const exercised = exercise(honest);
  const figures: string[] = [];
  let since = { ...(await costOf(pid)), at: performance.now() };
  const note = async (what: string): Promise<void> => {
    const now = { ...(await costOf(pid)), at: performance.now() };
    figures.push(`${what}: ${exercised.phase()}, ${String(now.residentMb)} MB, CPU ${String(Math.round(((now.cpuMs - since.cpuMs) / (now.at - since.at)) * 100))} % over ${String(Math.round(now.at - since.at))} ms`); // prettier-ignore
    since = now;
  };
  const overLimit = 'docker_discover_over_limit{limit="keys_per_lease"}';
  try {
    await sleep(3_000);
    await note('before');
    await putAll(mad, madPairs());
    await waitFor('all to be told', async (seen) => seen(await metric(overLimit)) === madKeys - mostKeys, { timeoutMs: 60_000 }); // prettier-ignore
    await note('while they are put');
    await sleep(3_000);
    await note('while they stand');

    // The metrics tell what is left out now, `ls` what was when the last round looked.
    const leftOut = `its oldest ${String(mostKeys)} are taken, and ${String(madKeys - mostKeys)} left out`;
    const problems = await waitFor('ls to tell of all', async (seen) => {
      const told = (await site.lsJson()).problems;
      return seen(told[0]?.reason ?? '').includes(leftOut) && told;
    });
    expect(problems[0]?.key).toBe(`MAX_KEYS_PER_LEASE of lease ${BigInt(mad).toString(16).padStart(16, '0')}`);
    expect(problems.length).toBeLessThan(mostKeys);
    expect(await metric('docker_discover_limit{limit="keys_per_lease"}')).toBe(mostKeys);
    // Of the flood, that is: honest changes have their lines too, and are as many as there was time for.
    const ofFlood = site.output().split('\n').filter((line) => !line.includes('good:') && !/HAProxy changed|commands of the change/.test(line)); // prettier-ignore
    expect(ofFlood.filter((line) => !line.includes('"from":"haproxy"')).length).toBeLessThan(50);
    // HAProxy has a line when an endpoint that is taken comes, when its check fails, and when its listener is without a server.
    expect(ofFlood.length).toBeLessThan(50 + 3 * mostKeys);
    expect((await stat(join(site.dir, 'state', 'last-known-good.json'))).size).toBeLessThan(mostKeys * 400);
    const another = await stand.etcd.registry.grantLease(600_000, signal);
    // At an address of its own: of two that claim one, the newer is served.
    const c = await stand.backEnd('c');
    await putAll(another, [['other/c', `${c.address}?port=${String(site.otherPort)}`]]);
    await site.answers(site.otherPort, 'c');

    await stand.etcd.client.leaseClient.leaseRevoke({ ID: mad });
    await waitFor('none to be left', async (seen) => seen((await site.lsJson()).problems).length === 0, { timeoutMs: 60_000 }); // prettier-ignore
    expect(await metric(overLimit)).toBe(0);
    await note('until they are gone');
    await sleep(2_000);
    await note('after');
  } finally {
    console.log(figures.join('\n'));
    await exercised.stop();
  }
}, 180_000);
