import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../test/integration/support/free-ports.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { useOf } from './process.js';

/** A real etcd of one member or three, on loopback, and what stands before it. */
export interface FleetEtcd {
  /** Where the fleet goes: to all members, or to the gRPC proxy. */
  readonly urls: readonly string[];
  look(): Promise<Look>;
  /** The member that leads is killed, and stays away. */
  killLeader(): Promise<void>;
  /** No member does anything for so long. */
  freeze(ms: number): Promise<void>;
  /** Ends all and removes their data. */
  dispose(): Promise<void>;
}

/** What all members together have done so far. */
export interface Look {
  readonly atMs: number;
  /** That live. */
  readonly members: number;
  readonly cpuMs: number;
  /** Of the gRPC proxy; 0 where there is none. */
  readonly proxyCpuMs: number;
  /** gRPC messages from clients. */
  readonly received: number;
  readonly sentBytes: number;
  /** Of one member, the largest. */
  readonly dbBytes: number;
  /** Resident memory of one member, the largest, MiB. */
  readonly mib: number;
}

interface Member {
  readonly url: string;
  readonly peer: string;
  readonly child: ChildProcess;
}

export async function startFleetEtcd(shape: {
  readonly members: 1 | 3;
  readonly isProxied: boolean;
}): Promise<FleetEtcd> {
  const dir = await mkdtemp(join(tmpdir(), 'fleet-etcd-'));
  const ports = await freePorts(2 * shape.members + 1);
  const at = (n: number): string => `http://127.0.0.1:${String(ports[n] ?? 0)}`;
  const names = Array.from({ length: shape.members }, (_, n) => `m${String(n)}`);
  const cluster = names.map((name, n) => `${name}=${at(2 * n + 1)}`).join();
  const members: Member[] = names.map((name, n) => {
    const [url, peer] = [at(2 * n), at(2 * n + 1)];
    const args = ['--name', name, '--data-dir', join(dir, name), '--listen-client-urls', url];
    args.push('--advertise-client-urls', url, '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer);
    args.push('--initial-cluster', cluster);
    return { url, peer, child: spawn('etcd', args, { stdio: 'ignore' }) };
  });
  const urls = members.map(({ url }) => url);
  let proxy: ChildProcess | null = null;
  const dispose = async (): Promise<void> => {
    await Promise.all([proxy, ...members.map(({ child }) => child)].map(killed));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await waitFor('etcd to have a leader', async () => (await leaderOf(members)) !== undefined);
    if (shape.isProxied) {
      const listen = `127.0.0.1:${String(ports.at(-1) ?? 0)}`;
      const args = ['grpc-proxy', 'start', '--endpoints', urls.join(), '--listen-addr', listen];
      proxy = spawn('etcd', args, { stdio: 'ignore', cwd: dir });
      await waitFor('the proxy to answer', async () => (await fetch(`http://${listen}/health`)).ok);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  const living = (): Member[] => members.filter(({ child }) => isAlive(child));

  return {
    urls: proxy === null ? urls : [at(2 * shape.members)],

    async look() {
      const looks = await Promise.all(living().map(lookAt));
      const sum = (what: (one: (typeof looks)[number]) => number): number =>
        looks.reduce((total, one) => total + what(one), 0);
      return {
        atMs: performance.now(),
        members: looks.length,
        cpuMs: sum(({ cpuMs }) => cpuMs),
        proxyCpuMs: proxy === null ? 0 : useOf(proxy.pid ?? 0).cpuMs,
        received: sum(({ received }) => received),
        sentBytes: sum(({ sentBytes }) => sentBytes),
        dbBytes: Math.max(...looks.map(({ dbBytes }) => dbBytes)),
        mib: Math.max(...looks.map(({ mib }) => mib)),
      };
    },

    async killLeader() {
      const leader = await leaderOf(living());
      if (leader === undefined) throw new Error('no member leads');
      await killed(leader.child);
    },

    async freeze(ms) {
      for (const { child } of living()) child.kill('SIGSTOP');
      await sleep(ms);
      for (const { child } of living()) child.kill('SIGCONT');
    },

    dispose,
  };
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function killed(child: ChildProcess | null): Promise<void> {
  if (child === null || !isAlive(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function metricsOf({ url }: Member): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return (name) =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
}

async function leaderOf(members: readonly Member[]): Promise<Member | undefined> {
  const leads = await Promise.all(
    members.map((member) =>
      metricsOf(member).then(
        (valueOf) => valueOf('etcd_server_is_leader') === 1,
        () => false,
      ),
    ),
  );
  return members[leads.indexOf(true)];
}

async function lookAt(member: Member): Promise<Omit<Look, 'atMs' | 'members' | 'proxyCpuMs'>> {
  const valueOf = await metricsOf(member);
  return {
    ...useOf(member.child.pid ?? 0),
    received: valueOf('grpc_server_msg_received_total'),
    sentBytes: valueOf('etcd_network_client_grpc_sent_bytes_total'),
    dbBytes: valueOf('etcd_mvcc_db_total_size_in_bytes'),
  };
}
