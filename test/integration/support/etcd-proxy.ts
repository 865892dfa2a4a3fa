import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../lab/wait-for.js';
import { freePorts } from './free-ports.js';

/** A real `etcd grpc-proxy` on loopback, before an etcd. */
export interface EtcdProxy {
  readonly url: string;
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  kill(): Promise<void>;
  dispose(): Promise<void>;
}

export async function startEtcdProxy(etcdUrl: string): Promise<EtcdProxy> {
  const dir = await mkdtemp(join(tmpdir(), 'etcd-proxy-'));
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${String(port)}`;
  const url = `http://${address}`;
  let child: ChildProcess | null = null;

  const start = async (): Promise<void> => {
    const args = ['grpc-proxy', 'start', '--endpoints', etcdUrl, '--listen-addr', address, '--data-dir', dir];
    child = spawn('etcd', args, { stdio: 'ignore' });
    await waitFor('the proxy to answer', async () => (await fetch(`${url}/health`)).ok, { intervalMs: 50 });
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
    start,
    kill,
    signal: (signal) => child?.kill(signal),
    async dispose() {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
