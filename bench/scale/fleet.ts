import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../figures.js';
import { publish } from '../report.js';
import { startFleetEtcd, type FleetEtcd } from './fleet-etcd.js';
import { containersPerHost } from './fleet-hosts.js';
import { startWorkers, type Workers } from './fleet-workers.js';

interface FleetShape {
  readonly what: string;
  readonly hosts: number;
  readonly clients: number;
  readonly members: 1 | 3;
  /** All of them go through one gRPC proxy of etcd. */
  readonly isProxied?: boolean;
  /** Client hosts as the pair of 2014 had them. */
  readonly isPolling?: boolean;
}

/** What two cores can carry for all of it together: many hosts with few clients, and few hosts with many. */
const shapes: readonly FleetShape[] = [
  { what: '50 hosts, 50 clients', hosts: 50, clients: 50, members: 3 },
  { what: '50 hosts, 50 clients that poll', hosts: 50, clients: 50, members: 3, isPolling: true },
  { what: '50 hosts, 300 clients', hosts: 50, clients: 300, members: 3 },
  { what: '50 hosts, 300 clients by a proxy', hosts: 50, clients: 300, members: 3, isProxied: true },
  { what: '200 hosts, 4 clients', hosts: 200, clients: 4, members: 3 },
];
const steadySeconds = 30;
/** What 1,000 hosts of 20 containers come to whose every container is replaced within ten minutes. */
const replacedPerSecond = 33;
const deploySeconds = 30;
const leaderlessSeconds = 15;

/** What a fleet costs etcd: docker-register's and docker-discover's own loops many times over, against a real cluster. */
export async function fleet(): Promise<void> {
  const rows = [];
  const samples = [];
  for (const shape of shapes) {
    const phases = await measure(shape);
    for (const { phase, figures } of phases) rows.push({ what: `${shape.what}: ${phase}`, figures });
    samples.push({ shape, phases });
    console.log(JSON.stringify({ shape, phases }));
  }
  await publish({
    name: 'scale-fleet',
    title: `a fleet against etcd, ${String(containersPerHost)} containers on each host`,
    unit: 'per row',
    rows,
    remarks: [
      `deploy: ${String(replacedPerSecond)} containers a second are replaced; lag: from the event of a container to the catalog of each client host`,
      'leader lost: it is killed in the midst of such a deploy; the longest lag is how long nobody heard of a change',
      'loss: a tenth of the hosts falls silent; until each client host has noticed (TTL 15 s)',
      'restart: all client hosts at once; until each has its catalog; two cores for etcd and all of them',
    ],
    samples,
  });
}

type Figures = Readonly<Record<string, number>>;

async function measure({
  hosts,
  clients,
  members,
  isProxied = false,
  isPolling = false,
}: FleetShape): Promise<{ readonly phase: string; readonly figures: Figures }[]> {
  const etcd = await startFleetEtcd({ members, isProxied });
  const started: Workers[] = [];
  try {
    const { urls } = etcd;
    const backEnds = await startWorkers('hosts', { count: hosts, mostEach: hosts, urls });
    started.push(backEnds);
    const readers = await startWorkers(isPolling ? 'pollers' : 'clients', { count: clients, mostEach: 100, urls });
    started.push(readers);
    const phases: { phase: string; figures: Figures }[] = [];
    const during = async (phase: string, act: () => Promise<Figures>): Promise<void> => {
      await readers.ask({ do: 'report' });
      phases.push({ phase, figures: await figuresOf({ etcd, readers, act }) });
    };
    const endpoints = hosts * containersPerHost;
    const deploy = (seconds: number): Promise<unknown> =>
      backEnds.ask({ do: 'deploy', containers: replacedPerSecond * seconds, perSecond: replacedPerSecond });
    const all = (): Promise<unknown> => readers.ask({ do: 'await', endpoints });

    await during('all hosts start', async () => {
      // All at once in one process would wait for that process alone.
      const { tookMs = 0 } = await backEnds.ask({ do: 'start', withinSeconds: hosts / 10 });
      return { 'all of them, ms': tookMs };
    });
    await during('all clients start', async () => {
      const { tookMs = 0 } = await readers.ask({ do: 'start', withinSeconds: 0 });
      await all();
      return { 'all of them, ms': tookMs };
    });
    await during('steady', async () => {
      await sleep(steadySeconds * 1_000);
      return {};
    });
    await during('deploy', async () => {
      await deploy(deploySeconds);
      await all();
      return {};
    });
    await during('all clients restart', async () => {
      const { tookMs = 0 } = await readers.ask({ do: 'restart' });
      return { 'all of them, ms': tookMs };
    });
    await during('loss of a tenth', async () => {
      await backEnds.ask({ do: 'lose', share: 0.1 });
      const left = endpoints - Math.round(hosts * 0.1) * containersPerHost;
      const { tookMs = 0 } = await readers.ask({ do: 'await', endpoints: left });
      return { 'all of them, ms': tookMs };
    });
    if (members > 1)
      await during('leader lost', async () => {
        await etcd.killLeader();
        await deploy(leaderlessSeconds);
        const left = endpoints - Math.round(hosts * 0.1) * containersPerHost;
        await readers.ask({ do: 'await', endpoints: left });
        return {};
      });
    const { mib: clientMib = 0 } = await readers.ask({ do: 'report' });
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
  readers,
  act,
}: {
  readonly etcd: FleetEtcd;
  readonly readers: Workers;
  readonly act: () => Promise<Figures>;
}): Promise<Figures> {
  const before = await etcd.look();
  const own = await act();
  const after = await etcd.look();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const each = (what: 'cpuMs' | 'proxyCpuMs' | 'received' | 'sentBytes'): number =>
    (after[what] - before[what]) / seconds;
  const { lagMs = [], events = 0 } = await readers.ask({ do: 'report' });
  return {
    s: seconds,
    // A member that was killed took its counts along.
    ...(after.members === before.members && {
      'etcd, % of a core': each('cpuMs') / 10,
      'messages to etcd/s': each('received'),
      'kB/s from etcd': each('sentBytes') / 1_000,
    }),
    ...(after.proxyCpuMs > 0 && { 'proxy, %': each('proxyCpuMs') / 10 }),
    'events/s, all clients': events / seconds,
    ...(lagMs.length > 0 && {
      'lag p50 ms': percentile(lagMs, 0.5),
      'lag p99 ms': percentile(lagMs, 0.99),
      'longest ms': lagMs.reduce((longest, lag) => Math.max(longest, lag), 0),
    }),
    ...own,
  };
}
