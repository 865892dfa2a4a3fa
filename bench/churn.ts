import { setTimeout as sleep } from 'node:timers/promises';
import { ls, startDiscover, startRegister } from '../test/e2e/support/pair.js';
import type { EngineHost, Lab } from '../test/lab/lab.js';
import { waitFor } from '../test/lab/wait-for.js';
import { startAgent } from './agent.js';
import type { LongLived } from './long-lived.js';
import { publish } from './report.js';
import { loadService, startRange, startService } from './service.js';
import { load, type Load } from './wrk.js';

const seconds = 90;
const listeners = 45;
const services = [8001, 8002, 8003, 8004].map((port) => ({ name: `churn-${String(port)}`, port }));
const perService = 5;
/** First of the ports on which the endpoints of the listeners that are added answer. */
const range = 20_000;
/** So many changes of containers are under way on each host at any time. */
const hands = 1;

interface Container {
  readonly id: string;
  readonly service: (typeof services)[number];
}

/** The containers of one host, which come and go without pause. */
interface Fleet {
  readonly host: EngineHost;
  readonly standing: Container[];
  starts: number;
  /** Ids of those that were told to stop. */
  readonly stopped: string[];
}

/** Four services of five containers, changed without pause under load. */
export async function churn(lab: Lab): Promise<void> {
  const { client } = lab;
  await loadService(
    lab.backends,
    services.map(({ name }) => name),
  );
  for (const host of lab.backends) await startRegister(lab, host);
  await startDiscover(lab, '-e LINGER=1h');
  await startRange(lab.backends[0], { first: range, count: listeners });
  const fleets = lab.backends.map((host): Fleet => ({ host, standing: [], starts: 0, stopped: [] }));
  await Promise.all(
    fleets.map(async (fleet, at) => {
      for (const [which, service] of services.entries()) {
        const share = at === which % 2 ? Math.ceil(perService / 2) : Math.floor(perService / 2);
        for (let n = 0; n < share; n += 1) await start(fleet, service);
      }
    }),
  );
  await waitFor(
    'all to be served',
    async (seen) =>
      seen((await ls(lab)).listeners.map(({ endpoints }) => endpoints.length)).join() ===
      services.map(() => perService).join(),
  );

  const before = await ls(lab);
  // Of each service ten connections, a question every 250 ms over each, an answer within 10 s.
  const held = startAgent<LongLived>(client, 'long-lived.ts', client.ip, [
    250,
    10_000,
    10,
    ...services.map(({ port }) => port),
  ]);
  const endsAt = performance.now() + seconds * 1_000;
  const isOver = (): boolean => performance.now() >= endsAt;
  const loads = Promise.all(
    services.flatMap(({ port }) =>
      (['close', 'keep-alive'] as const).map((kind) =>
        load(client, {
          url: `http://${client.ip}:${String(port)}/`,
          seconds,
          connections: kind === 'close' ? 2 : 8,
          kind,
        }).then((result) => ({
          kind,
          result,
        })),
      ),
    ),
  );
  const [results] = await Promise.all([
    loads,
    addListeners(lab, isOver),
    ...fleets.flatMap((fleet) => Array.from({ length: hands }, (_, hand) => change(fleet, hand, isOver))),
  ]);
  const long = await held.end();
  const after = await ls(lab);
  await tell({
    results,
    long,
    fleets,
    reloads: after.haproxy.reloads - before.haproxy.reloads,
    steps: after.haproxy.runtimeChanges - before.haproxy.runtimeChanges,
    processes: await haproxies(client),
  });
}

async function start(fleet: Fleet, service: Container['service']): Promise<void> {
  fleet.standing.push({ id: await startService(fleet.host, service), service });
  fleet.starts += 1;
}

async function stop({ host, standing, stopped }: Fleet): Promise<Container | undefined> {
  const container = standing.shift();
  if (container === undefined) return undefined;
  stopped.push(container.id);
  await host.docker('stop', container.id);
  await host.docker('rm', container.id);
  return container;
}

/** Now a rolling replacement, now a scale-down by one and up by one again. */
async function change(fleet: Fleet, hand: number, isOver: () => boolean): Promise<void> {
  for (let turn = hand; !isOver(); turn += 1) {
    const [oldest] = fleet.standing;
    if (oldest === undefined) throw new Error(`nothing stands on ${fleet.host.name}`);
    if (turn % 2 === 0) {
      await start(fleet, oldest.service);
      await stop(fleet);
    } else {
      const gone = await stop(fleet);
      if (gone !== undefined) await start(fleet, gone.service);
    }
  }
}

/** Each is a reload: a registration by hand, on a port of its own. */
async function addListeners({ etcd, backends }: Lab, isOver: () => boolean): Promise<void> {
  const [{ ip }] = backends;
  for (let n = 0; n < listeners && !isOver(); n += 1) {
    await etcd.run(
      `etcdctl put /backends/added-${String(n)}/hand ${ip}:${String(range + n)}?port=${String(9_000 + n)}`,
    );
    await sleep((seconds * 1_000) / (listeners + 1));
  }
}

/** How many HAProxy processes there are on the client host, and the memory of all, MiB. */
async function haproxies(client: EngineHost): Promise<{ count: number; mib: number }> {
  const { stdout } = await client.run(
    `docker top docker-discover -o pid,rss,comm | awk '$3 == "haproxy" { n++; s += $2 } END { print n, s / 1024 }'`,
  );
  const [count = 0, mib = 0] = stdout.trim().split(' ').map(Number);
  return { count, mib };
}

interface Outcome {
  readonly results: readonly { readonly kind: string; readonly result: Load }[];
  readonly long: LongLived;
  readonly fleets: readonly Fleet[];
  readonly reloads: number;
  readonly steps: number;
  readonly processes: { readonly count: number; readonly mib: number };
}

async function tell({ results, long, fleets, reloads, steps, processes }: Outcome): Promise<void> {
  const rowOf = (kind: string): Record<string, number> => {
    const own = results.filter((one) => one.kind === kind).map(({ result }) => result);
    const sum = (figure: (one: Load) => number): number => own.reduce((total, one) => total + figure(one), 0);
    const most = (figure: (one: Load) => number): number => Math.max(...own.map(figure));
    return {
      requests: sum((one) => one.requests),
      failed: sum((one) => one.failures),
      'p50 ms': most((one) => one.p50),
      'p99 ms': most((one) => one.p99),
      'max ms': most((one) => one.max),
    };
  };
  const stopped = new Set(fleets.flatMap((fleet) => fleet.stopped));
  const cut = long.endings.filter(({ id }) => !stopped.has(id));
  const close = rowOf('close');
  const keepAlive = rowOf('keep-alive');
  const total = (close['requests'] ?? 0) + (keepAlive['requests'] ?? 0) + long.answers;
  const failed = (close['failed'] ?? 0) + (keepAlive['failed'] ?? 0) + cut.length;
  const starts = fleets.reduce((sum, fleet) => sum + fleet.starts, 0) - services.length * perService;
  await publish({
    name: 'churn',
    title: `${String(seconds)} s of change without pause, under load`,
    unit: 'requests',
    rows: [
      { what: 'a connection per request', figures: close },
      { what: 'keep-alive', figures: keepAlive },
      { what: 'over long connections', figures: { requests: long.answers, failed: cut.length } },
    ],
    remarks: [
      `${String(failed)} of ${String(total)} failed (target 0 of at least 500000)`,
      `${String(starts)} containers started, ${String(stopped.size)} stopped; ${String(steps)} changes of servers without a reload, ${String(reloads)} reloads for ${String(listeners)} listeners`,
      `${String(long.endings.length)} long connections ended with their container, ${String(cut.length)} without (target 0)`,
      `${String(processes.count)} HAProxy processes at the end, ${processes.mib.toFixed(0)} MiB together`,
      ...results.filter(({ result }) => result.failures > 0).map(({ kind, result }) => `${kind}: ${result.errors}`),
      ...cut.map(({ id, why }) => `cut: ${id} ${why}`),
    ],
    samples: { results, long, stopped: [...stopped] },
  });
}
