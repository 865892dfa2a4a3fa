import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Etcd3 } from 'etcd3';
import { createEtcdClient } from '../../../src/adapters/etcd/client.js';
import { connectionTo, type EtcdAccess, type EtcdTls } from '../../../src/adapters/etcd/connection.js';
import { isDenied } from '../../../src/adapters/etcd/failure.js';
import { createRegistry } from '../../../src/adapters/etcd/registry.js';
import type { Registry } from '../../../src/ports/registry.js';
import { waitFor } from '../../lab/wait-for.js';
import { freePorts } from './free-ports.js';

/** A real etcd on loopback. */
export interface TestEtcd {
  readonly url: string;
  readonly host: string;
  /** For what is done by hand. */
  readonly client: Etcd3;
  /** The registry of `/backends`. */
  readonly registry: Registry;
  /** @param access how it is asked whether it answers, where that is not as before */
  start(access?: EtcdAccess): Promise<void>;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Kills it and removes its data: started again, it counts its revisions from 1. */
  forget(): Promise<void>;
  /** Ends it and removes its data. */
  dispose(): Promise<void>;
}

/**
 * @param more arguments of etcd, beside its addresses
 * @param tls how it is spoken to, where it speaks TLS by those
 */
export async function startEtcd(more: readonly string[] = [], tls: EtcdTls | null = null): Promise<TestEtcd> {
  const dir = await mkdtemp(join(tmpdir(), 'etcd-test-'));
  const [clientPort = 0, peerPort = 0] = await freePorts(2);
  const host = `127.0.0.1:${String(clientPort)}`;
  const url = `http${tls === null ? '' : 's'}://${host}`;
  const peer = `http://127.0.0.1:${String(peerPort)}`;
  const client = connectionTo(url, tls);
  const members = createEtcdClient({ hosts: [url], tls });
  const registry = createRegistry({ client: members, hosts: [url], keyspace: '/backends/' });
  let child: ChildProcess | null = null;

  const start = async (access: EtcdAccess = { tls }): Promise<void> => {
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
    args.push(...more);
    child = spawn('etcd', args, { stdio: 'ignore' });
    const asking = createEtcdClient({ hosts: [url], ...access });
    const asked = createRegistry({ client: asking, hosts: [url], keyspace: '/backends/' });
    try {
      await waitFor(
        'etcd to answer',
        () =>
          asked.list(AbortSignal.timeout(1_000)).catch((error: unknown) => {
            // That is an answer too.
            if (isDenied((error as Error).cause)) return true;
            throw error;
          }),
        { intervalMs: 50 },
      );
    } finally {
      asking.close();
    }
  };
  const kill = async (): Promise<void> => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const forget = async (): Promise<void> => {
    await kill();
    await rm(join(dir, 'data'), { recursive: true, force: true });
  };
  await start();
  return {
    url,
    host,
    client,
    registry,
    start,
    kill,
    forget,
    signal: (signal) => child?.kill(signal),
    async dispose() {
      client.close();
      members.close();
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
