import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../figures.js';
import { startFleetEtcd, type FleetEtcd } from './fleet-etcd.js';
import { containersPerHost, type FleetOrder, type FleetReport } from './fleet-orders.js';
import { startWorkers, type Workers } from './fleet-workers.js';

export interface FleetShape {
  readonly what: string;
  readonly hosts: number;
  /** That keep a catalog. */
  readonly clients: number;
  /** That ask the same, and keep none. */
  readonly light?: number;
  /** All of them go through one gRPC proxy of etcd. */
  readonly isProxied?: boolean;
  /** Client hosts as the pair of 2014 had them. */
  readonly isPolling?: boolean;
  /** Containers a second that are replaced at deploys, one after the other. */
  readonly replaced?: readonly number[];
}

export type Figures = Readonly<Record<string, number>>;

export interface Phase {
  readonly phase: string;
  readonly figures: Figures;
}

/** What 1,000 hosts of 20 containers come to whose every container is replaced within ten minutes. */
export const replacedPerSecond = 33;
const steadySeconds = 30;
const deploySeconds = 30;
const leaderlessSeconds = 15;
/** Of one worker: more of them would wait for its process, not for etcd. */
const most = { hosts: 125, clients: 100, light: 250, pollers: 10 };
/** A roll-out, not a power cut. */
const hostsPerSecond = 10;
/** Each lists everything. */
const lightClientsPerSecond = 4;

export async function measureFleet(shape: FleetShape): Promise<Phase[]> {
  const { hosts, clients, light = 0, isProxied = false, isPolling = false, replaced = [replacedPerSecond] } = shape;
  const etcd = await startFleetEtcd({ members: 3, isProxied });
  const started: Workers[] = [];
  try {
    const { urls } = etcd;
    const start = async (role: keyof typeof most, count: number): Promise<Workers> => {
      const workers = await startWorkers(role, { count, mostEach: most[role], urls });
      started.push(workers);
      return workers;
    };
    const backEnds = await start('hosts', hosts);
    const whole = await start(isPolling ? 'pollers' : 'clients', clients);
    const readers = [whole, ...(light > 0 ? [await start('light', light)] : [])];
    const askReaders = (order: FleetOrder): Promise<FleetReport[]> =>
      Promise.all(readers.map((workers) => workers.ask(order)));
    const took = async (order: FleetOrder): Promise<Figures> => ({
      'all of them, ms': Math.max(...(await askReaders(order)).map(({ tookMs = 0 }) => tookMs)),
    });

    const phases: Phase[] = [];
    const during = async (phase: string, act: () => Promise<Figures>): Promise<void> => {
      await askReaders({ do: 'report' });
      const figures = await figuresOf({ etcd, report: () => askReaders({ do: 'report' }), act });
      phases.push({ phase, figures });
      console.log(`bench:scale: ${shape.what}: ${phase}: ${JSON.stringify(figures)}`);
    };
    const deploy = async (perSecond: number, seconds: number): Promise<void> => {
      await backEnds.ask({ do: 'deploy', containers: perSecond * seconds, perSecond });
    };
    const endpoints = hosts * containersPerHost;
    let left = endpoints;

    await during('all hosts start', async () => {
      const { tookMs = 0 } = await backEnds.ask({ do: 'start', withinSeconds: hosts / hostsPerSecond });
      return { 'all of them, ms': tookMs };
    });
    await during('all clients start', async () => {
      const figures = await took({ do: 'start', withinSeconds: light / lightClientsPerSecond });
      await askReaders({ do: 'await', endpoints });
      return figures;
    });
    await during('steady', async () => {
      await sleep(steadySeconds * 1_000);
      return {};
    });
    for (const perSecond of replaced)
      await during(replaced.length > 1 ? `deploy, ${String(perSecond)}/s` : 'deploy', async () => {
        await deploy(perSecond, deploySeconds);
        await askReaders({ do: 'await', endpoints });
        return {};
      });
    await during('loss of a tenth', async () => {
      const { hosts: living = 0 } = await backEnds.ask({ do: 'lose', share: 0.1 });
      left = living * containersPerHost;
      return took({ do: 'await', endpoints: left });
    });
    await during('all clients restart', () => took({ do: 'restart' }));
    await during('leader lost', async () => {
      await etcd.killLeader();
      await deploy(replaced[0] ?? replacedPerSecond, leaderlessSeconds);
      await askReaders({ do: 'await', endpoints: left });
      return {};
    });
    const { mib: clientMib = 0 } = await whole.ask({ do: 'report' });
    const { mib, dbBytes } = await etcd.look();
    phases.push({
      phase: 'memory',
      figures: { 'a member, MiB': mib, 'database, MiB': dbBytes / 2 ** 20, 'a client, MiB': clientMib / clients },
    });
    return phases;
  } finally {
    for (const workers of started) await workers.stop();
    await etcd.dispose();
  }
}

async function figuresOf({
  etcd,
  report,
  act,
}: {
  readonly etcd: FleetEtcd;
  readonly report: () => Promise<FleetReport[]>;
  readonly act: () => Promise<Figures>;
}): Promise<Figures> {
  const before = await etcd.look();
  const own = await act();
  const after = await etcd.look();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const each = (what: 'cpuMs' | 'proxyCpuMs' | 'received' | 'sentBytes'): number =>
    (after[what] - before[what]) / seconds;
  const reports = await report();
  const events = reports.reduce((sum, one) => sum + (one.events ?? 0), 0);
  const failures = reports.reduce((sum, one) => sum + (one.failures ?? 0), 0);
  const lagMs = reports.flatMap((one) => one.lagMs ?? []);
  return {
    s: seconds,
    // A member that was killed took its counts along.
    ...(after.members === before.members && {
      'etcd, % of a core': each('cpuMs') / 10,
      'messages to etcd/s': each('received'),
      'kB/s from etcd': each('sentBytes') / 1_000,
      ...(events > 0 && { 'etcd, µs of CPU for an event': ((after.cpuMs - before.cpuMs) / events) * 1_000 }),
    }),
    ...(after.proxyCpuMs > 0 && { 'proxy, %': each('proxyCpuMs') / 10 }),
    'events/s, all clients': events / seconds,
    ...(failures > 0 && { 'failures of light ones': failures }),
    ...(lagMs.length > 0 && {
      'lag p50 ms': percentile(lagMs, 0.5),
      'lag p99 ms': percentile(lagMs, 0.99),
      'longest ms': lagMs.reduce((longest, lag) => Math.max(longest, lag), 0),
    }),
    ...own,
  };
}
