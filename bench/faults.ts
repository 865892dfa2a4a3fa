import { setTimeout as sleep } from 'node:timers/promises';
import { readTemplates } from '../src/cli/template-files.js';
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
/** Where checks and single requests find out, because no server meets many. */
const lowRatePerSecond = 5;
const seconds = 10;
const faultAfterMs = 2_000;
const timeoutMs = 5_000;

interface Service {
  readonly name: string;
  readonly what: string;
  readonly port: number;
  readonly check: string;
  readonly endpoints: number;
  /** Of the endpoints, the first so many are on the host that stays. */
  readonly near: number;
  readonly ratePerSecond: number;
}

const one = { endpoints: 4, near: 4, ratePerSecond };
const cut: Service = { ...one, name: 'cut', what: 'one of four is cut off', port: 8_004, check: 'tcp', near: 3 };
/** So many of a kind, or chance would decide what is seen of the few requests. */
const alike = [0, 1, 2, 3, 4, 5];
const services: readonly Service[] = [
  { ...one, name: 'killed', what: 'one of four is killed', port: 8_001, check: 'tcp' },
  cut,
  { ...one, name: 'frozen', what: 'one of four is frozen, HTTP check', port: 8_002, check: '/' },
  { ...one, name: 'frozen-tcp', what: 'one of four is frozen, layer-4 check', port: 8_003, check: 'tcp' },
  ...alike.flatMap((n): Service[] => [
    {
      name: `half-${String(n)}`,
      what: `two of four are cut off, ${String(lowRatePerSecond)}/s`,
      port: 8_010 + n,
      check: 'tcp',
      endpoints: 4,
      near: 2,
      ratePerSecond: lowRatePerSecond,
    },
    {
      name: `most-${String(n)}`,
      what: `four of five are killed, ${String(lowRatePerSecond)}/s`,
      port: 8_020 + n,
      check: 'tcp',
      endpoints: 5,
      near: 5,
      ratePerSecond: lowRatePerSecond,
    },
  ]),
];
const killed = [
  'killed-0',
  ...alike.flatMap((n) => [0, 1, 2, 3].map((endpoint) => `most-${String(n)}-${String(endpoint)}`)),
];
const frozen = ['frozen-0', 'frozen-tcp-0'];

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
  for (const { name, port, check, endpoints, near: stay } of services) {
    for (let n = 0; n < endpoints; n += 1) {
      const host = n < stay ? near : far;
      const hostPort = port * 8 - 44_000 + n;
      ids.set(`${name}-${String(n)}`, await startService(host, { name, port, hostPort }));
      await lab.etcd.run(
        `etcdctl put /backends/${name}/${String(n)} '${host.ip}:${String(hostPort)}?port=${String(port)}&check=${check}'`,
      );
    }
  }
  const idOf = (name: string): string => {
    const id = ids.get(name);
    if (id === undefined) throw new Error(`there is no endpoint ${name}`);
    return id;
  };
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
  const all = services.reduce((sum, { endpoints }) => sum + endpoints, 0);
  await client.run('cat >/run/lab/template', { input: candidate.change((await readTemplates(undefined)).main) });
  await startDiscover(lab, '-v /run/lab/template:/template:ro -e TEMPLATE=/template');
  await waitFor('all endpoints to be up', async (seen) => {
    const statuses = (await ls(lab)).listeners.flatMap(({ endpoints }) => endpoints.map(({ status }) => status));
    return seen(statuses).length === all && statuses.every((status) => status === 'UP');
  });
  const steady = [ratePerSecond, lowRatePerSecond].map((rate) => {
    const ports = services.filter((service) => service.ratePerSecond === rate).map(({ port }) => port);
    return startAgent<Steady[]>(client, 'steady.ts', client.ip, [rate, seconds, timeoutMs, ...ports]);
  });
  const held = startAgent<LongLived>(client, 'long-lived.ts', client.ip, [250, 60_000, 8, cut.port]);
  // By their pids, all at once: the engine would take seconds for so many.
  const pids = (await near.docker('inspect', '-f', '{{.State.Pid}}', ...killed.map(idOf))).replaceAll('\n', ' ');
  await sleep(faultAfterMs);
  const faultAtMs = Date.now();
  await lab.cut(far);
  await Promise.all([near.run(`kill -9 ${pids.trim()}`), near.docker('pause', ...frozen.map(idOf))]);
  try {
    const outcomes = (await Promise.all(steady.map(({ result }) => result))).flat();
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
    await near.docker('unpause', ...frozen.map(idOf));
    await near.docker('start', ...killed.map(idOf));
    await client.docker('rm', '-f', 'docker-discover');
  }
}

async function tell(results: readonly Result[]): Promise<void> {
  const kinds = [...new Set(services.map(({ what }) => what))];
  const rows = kinds.flatMap((what) =>
    results.map(({ candidate, steady, learnedMs, faultAtMs }) => {
      const ports = new Set(services.filter((service) => service.what === what).map(({ port }) => port));
      const own = steady.filter(({ port }) => ports.has(port));
      if (own.length !== ports.size) throw new Error(`something is not known of the ports ${[...ports].join(', ')}`);
      const lastTroubleAtMs = Math.max(...own.map((one) => one.lastTroubleAtMs));
      const sum = (figure: (one: Steady) => number): number => own.reduce((total, one) => total + figure(one), 0);
      return {
        what: `${what}: ${candidate}`,
        figures: {
          requests: sum(({ requests }) => requests),
          failed: sum(({ failures }) => failures),
          slow: sum(({ slow }) => slow),
          'worst ms': Math.round(Math.max(...own.map(({ worstMs }) => worstMs))),
          'trouble s': lastTroubleAtMs === 0 ? 0 : (lastTroubleAtMs - faultAtMs) / 1_000,
          ...(what === cut.what && learnedMs !== null && { 'open connections end s': learnedMs / 1_000 }),
        },
      };
    }),
  );
  await publish({
    name: 'faults',
    title: `endpoints fail, under ${String(ratePerSecond)} requests/s where nothing else is said`,
    unit: 'requests, ms, s',
    rows,
    remarks: [
      `failed: no answer within ${String(timeoutMs / 1_000)} s; slow: later than 100 ms`,
      `trouble: until the last request that failed or was slow; the fault lasts ${String(seconds - faultAfterMs / 1_000)} s`,
    ],
    samples: results,
  });
}
