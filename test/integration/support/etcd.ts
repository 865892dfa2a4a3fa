import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Etcd3 } from 'etcd3';
import { createEtcdClient } from '../../../src/adapters/etcd/client.js';
import { createRegistry } from '../../../src/adapters/etcd/registry.js';
import type { Registry } from '../../../src/ports/registry.js';
import { waitFor } from '../../lab/wait-for.js';
import { freePorts } from './free-ports.js';

/** A real etcd on loopback. */
export interface TestEtcd {
  readonly url: string;
  readonly host: string;
  readonly client: Etcd3;
  /** The registry of `/backends`. */
  readonly registry: Registry;
  start(): Promise<void>;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it and removes its data. */
  dispose(): Promise<void>;
}

export async function startEtcd(): Promise<TestEtcd> {
  const dir = await mkdtemp(join(tmpdir(), 'etcd-test-'));
  const [clientPort = 0, peerPort = 0] = await freePorts(2);
  const host = `127.0.0.1:${String(clientPort)}`;
  const url = `http://${host}`;
  const peer = `http://127.0.0.1:${String(peerPort)}`;
  const client = createEtcdClient([url]);
  const registry = createRegistry({ client, hosts: [url], keyspace: '/backends/' });
  let child: ChildProcess | null = null;

  const start = async (): Promise<void> => {
    const args = [
      '--name',
      'test',
      '--data-dir',
      join(dir, 'data'),
      '--listen-client-urls',
      url,
      '--advertise-client-urls',
      url,
    ];
    args.push('--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `test=${peer}`);
    child = spawn('etcd', args, { stdio: 'ignore' });
    await waitFor('etcd to answer', () => registry.list(AbortSignal.timeout(1_000)), { intervalMs: 50 });
  };
  const kill = async (): Promise<void> => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    url,
    host,
    client,
    registry,
    start,
    kill,
    signal: (signal) => child?.kill(signal),
    async dispose() {
      client.close();
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
