import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEtcd, type TestEtcd } from '../../test/integration/support/etcd.js';
import { percentile } from '../figures.js';
import { publish } from '../report.js';
import { containersPerHost } from './fleet-hosts.js';
import type { FleetOrder, FleetReport } from './fleet-orders.js';
import { pidOf, useOf } from './process.js';

/** Back-end hosts and client hosts; what two cores can carry for all of them and etcd together. */
const sizes = [
  [20, 20],
  [50, 50],
] as const;
const steadySeconds = 30;
/** As fast as a thousand hosts would be replaced in ten minutes: twenty containers each. */
const deploySeconds = 60;

/** What a fleet costs etcd: docker-register's and docker-discover's own loops many times over, against a real etcd. */
export async function fleet(): Promise<void> {
  const rows = [];
  const samples = [];
  for (const [hosts, clients] of sizes) {
    const phases = await measure(hosts, clients);
    for (const { phase, figures } of phases)
      rows.push({ what: `${String(hosts)} hosts, ${String(clients)} clients: ${phase}`, figures });
    samples.push({ hosts, clients, phases });
  }
  await publish({
    name: 'scale-fleet',
    title: `a fleet against one etcd, ${String(containersPerHost)} containers on each host`,
    unit: 'per row',
    rows,
    remarks: [
      `deploy: each container replaced once, spread over ${String(deploySeconds)} s; lag: from the event of a container to the catalog of each client host`,
      'loss: a tenth of the hosts falls silent; until each client host has noticed (TTL 15 s)',
      'restart: all client hosts at once; until each has its catalog; two cores for etcd and all of them',
    ],
    samples,
  });
}

type Phases = { readonly phase: string; readonly figures: Readonly<Record<string, number>> }[];

async function measure(hosts: number, clients: number): Promise<Phases> {
  const etcd = await startEtcd();
  const pid = pidOf('etcd', etcd.url, '--data-dir');
  const workers: Worker[] = [];
  try {
    const backEnds = await startWorker('hosts', hosts, etcd.url);
    workers.push(backEnds);
    const readers = await startWorker('clients', clients, etcd.url);
    workers.push(readers);
    const phases: Phases = [];
    const endpoints = hosts * containersPerHost;

    const during = async (phase: string, act: () => Promise<Readonly<Record<string, number>>>): Promise<void> => {
      const before = await lookAt(etcd, pid);
      const own = await act();
      const after = await lookAt(etcd, pid);
      const seconds = (after.atMs - before.atMs) / 1_000;
      const { lagMs = [], events = 0 } = await readers.ask({ do: 'report' });
      phases.push({
        phase,
        figures: {
          s: seconds,
          'etcd, % of a core': (after.cpuMs - before.cpuMs) / seconds / 10,
          'messages to etcd/s': (after.received - before.received) / seconds,
          'kB/s from etcd': (after.sentBytes - before.sentBytes) / seconds / 1_000,
          'events/s, all clients': events / seconds,
          ...(lagMs.length > 0 && { 'lag p50 ms': percentile(lagMs, 0.5), 'lag p99 ms': percentile(lagMs, 0.99) }),
          ...own,
        },
      });
    };

    await during('all hosts start', async () => {
      await backEnds.ask({ do: 'start', withinSeconds: 0 });
      return {};
    });
    await during('all clients start', async () => {
      await readers.ask({ do: 'start', withinSeconds: 0 });
      await readers.ask({ do: 'await', endpoints });
      return {};
    });
    await during('steady', async () => {
      await sleep(steadySeconds * 1_000);
      return {};
    });
    await during('deploy', async () => {
      await backEnds.ask({ do: 'deploy', withinSeconds: deploySeconds });
      await readers.ask({ do: 'await', endpoints });
      return {};
    });
    await during('all clients restart', async () => {
      const { tookMs = 0 } = await readers.ask({ do: 'restart' });
      return { 'all have a catalog, ms': tookMs };
    });
    await during('loss of a tenth', async () => {
      await backEnds.ask({ do: 'lose', share: 0.1 });
      const { tookMs = 0 } = await readers.ask({
        do: 'await',
        endpoints: endpoints - Math.round(hosts * 0.1) * containersPerHost,
      });
      return { 'noticed, ms': tookMs };
    });
    const { mib = 0 } = await readers.ask({ do: 'report' });
    const { dbBytes } = await lookAt(etcd, pid);
    phases.push({
      phase: 'memory',
      figures: { 'etcd MiB': useOf(pid).mib, 'database MiB': dbBytes / 2 ** 20, 'a client, MiB': mib / clients },
    });
    return phases;
  } finally {
    for (const worker of workers) await worker.stop();
    await etcd.dispose();
  }
}

interface Worker {
  ask(order: FleetOrder): Promise<FleetReport>;
  stop(): Promise<void>;
}

type Answer = { readonly ok: true; readonly report: FleetReport } | { readonly ok: false; readonly error: string };

async function startWorker(role: 'hosts' | 'clients', count: number, url: string): Promise<Worker> {
  const script = fileURLToPath(new URL('./fleet-worker.ts', import.meta.url));
  const child: ChildProcess = fork(script, [role, String(count), '0', url], { execArgv: ['--import', 'tsx'] });
  const ended = once(child, 'exit');
  const answer = async (): Promise<FleetReport> => {
    const [message] = (await Promise.race([
      once(child, 'message'),
      ended.then(([code]) => {
        throw new Error(`the worker for ${role} ended with ${String(code)}`);
      }),
    ])) as [Answer];
    if (!message.ok) throw new Error(`the worker for ${role}: ${message.error}`);
    return message.report;
  };
  await answer();
  return {
    ask(order) {
      child.send(order);
      return answer();
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await ended;
    },
  };
}

interface Look {
  readonly atMs: number;
  readonly cpuMs: number;
  /** gRPC messages that etcd has received so far. */
  readonly received: number;
  readonly sentBytes: number;
  readonly dbBytes: number;
}

async function lookAt(etcd: TestEtcd, pid: number): Promise<Look> {
  const text = await (await fetch(`${etcd.url}/metrics`)).text();
  const sumOf = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  return {
    atMs: performance.now(),
    cpuMs: useOf(pid).cpuMs,
    received: sumOf('grpc_server_msg_received_total'),
    sentBytes: sumOf('etcd_network_client_grpc_sent_bytes_total'),
    dbBytes: sumOf('etcd_mvcc_db_total_size_in_bytes'),
  };
}
