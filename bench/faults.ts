import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ls, startDiscover } from '../test/e2e/support/pair.js';
import type { EngineHost, Lab } from '../test/lab/lab.js';
import { waitFor } from '../test/lab/wait-for.js';
import { startAgent } from './agent.js';
import { candidates, type Candidate } from './candidates.js';
import type { LongLived } from './long-lived.js';
import { publish } from './report.js';
import { loadService, startService } from './service.js';
import type { Steady } from './steady.js';

const ratePerSecond = 100;
const seconds = 10;
const faultAfterMs = 2_000;
const timeoutMs = 5_000;
const template = fileURLToPath(new URL('../templates/haproxy.cfg.mustache', import.meta.url));

const cut = { name: 'cut', what: 'cut off with its host', port: 8_004, check: 'tcp' };
/** Each has four endpoints; one of each fails. */
const services = [
  { name: 'killed', what: 'killed', port: 8_001, check: 'tcp' },
  cut,
  { name: 'frozen', what: 'frozen, HTTP check', port: 8_002, check: '/' },
  { name: 'frozen-tcp', what: 'frozen, layer-4 check', port: 8_003, check: 'tcp' },
];

interface Result {
  readonly candidate: string;
  readonly steady: readonly Steady[];
  /** How long after the cut the open connections to that host ended, ms; null where they did not within the time. */
  readonly learnedMs: number | null;
  readonly faultAtMs: number;
}

/** What clients notice of a back end that fails without docker-register's knowledge, by the settings of the checks. */
export async function faults(lab: Lab): Promise<void> {
  const [near, far] = lab.backends;
  await loadService(
    lab.backends,
    services.map(({ name }) => name),
  );
  const ids = new Map<string, string>();
  for (const { name, port, check } of services) {
    for (let n = 0; n < 4; n += 1) {
      const host = name === cut.name && n === 3 ? far : near;
      const hostPort = port * 4 - 12_000 + n;
      ids.set(`${name}-${String(n)}`, await startService(host, { name, port, hostPort }));
      await lab.etcd.run(
        `etcdctl put /backends/${name}/${String(n)} '${host.ip}:${String(hostPort)}?port=${String(port)}&check=${check}'`,
      );
    }
  }
  const idOf = (name: string): string => ids.get(name) ?? '';
  const results: Result[] = [];
  for (const candidate of candidates) results.push(await measure(lab, candidate, { near, far, idOf }));
  await tell(results);
}

interface Places {
  readonly near: EngineHost;
  readonly far: EngineHost;
  readonly idOf: (name: string) => string;
}

async function measure(lab: Lab, candidate: Candidate, { near, far, idOf }: Places): Promise<Result> {
  const { client } = lab;
  await client.run('cat >/run/lab/template', { input: candidate.change(await readFile(template, 'utf8')) });
  await startDiscover(lab, '-v /run/lab/template:/template:ro -e TEMPLATE=/template');
  await waitFor('all endpoints to be up', async (seen) => {
    const statuses = (await ls(lab)).listeners.flatMap(({ endpoints }) => endpoints.map(({ status }) => status));
    return seen(statuses).length === 16 && statuses.every((status) => status === 'UP');
  });
  const ports = services.map(({ port }) => port);
  const steady = startAgent<Steady[]>(client, 'steady.ts', client.ip, [ratePerSecond, seconds, timeoutMs, ...ports]);
  const held = startAgent<LongLived>(client, 'long-lived.ts', client.ip, [250, 60_000, 8, cut.port]);
  await sleep(faultAfterMs);
  const faultAtMs = Date.now();
  await lab.cut(far);
  await near.docker('kill', idOf('killed-0'));
  await near.docker('pause', idOf('frozen-0'), idOf('frozen-tcp-0'));
  try {
    const outcomes = await steady.result;
    const { endings } = await held.end();
    const lost = endings.filter(({ id }) => id === idOf('cut-3')).map(({ atMs }) => atMs - faultAtMs);
    return {
      candidate: candidate.name,
      steady: outcomes,
      learnedMs: lost.length === 0 ? null : Math.max(...lost),
      faultAtMs,
    };
  } finally {
    await lab.mend(far);
    await near.docker('unpause', idOf('frozen-0'), idOf('frozen-tcp-0'));
    await near.docker('start', idOf('killed-0'));
    await client.docker('rm', '-f', 'docker-discover');
  }
}

async function tell(results: readonly Result[]): Promise<void> {
  const rows = services.flatMap(({ what, port }) =>
    results.map(({ candidate, steady, learnedMs, faultAtMs }) => {
      const own = steady.find((one) => one.port === port);
      if (own === undefined) throw new Error(`nothing is known of port ${String(port)}`);
      const troubleMs = own.lastTroubleAtMs === 0 ? 0 : own.lastTroubleAtMs - faultAtMs;
      return {
        what: `${what}: ${candidate}`,
        figures: {
          failed: own.failures,
          slow: own.slow,
          'worst ms': Math.round(own.worstMs),
          'trouble s': troubleMs / 1_000,
          ...(port === cut.port && learnedMs !== null && { 'open connections end s': learnedMs / 1_000 }),
        },
      };
    }),
  );
  const requests = ratePerSecond * seconds;
  await publish({
    name: 'faults',
    title: `one of four endpoints fails under ${String(ratePerSecond)} requests/s`,
    unit: 'requests, ms, s',
    rows,
    remarks: [
      `of ${String(requests)} requests each; failed: no answer within ${String(timeoutMs / 1_000)} s; slow: later than 100 ms`,
      `trouble: until the last request that failed or was slow; the fault lasts ${String(seconds - faultAfterMs / 1_000)} s`,
    ],
    samples: results,
  });
}
