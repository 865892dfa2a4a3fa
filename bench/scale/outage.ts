import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { publish } from '../report.js';
import { startFleetEtcd } from './fleet-etcd.js';
import { containersPerHost } from './fleet-orders.js';
import { startWorkers, type Workers } from './fleet-workers.js';

const [hosts, clients] = [1_000, 8];
/** Twice the TTL. */
const awayMs = 30_000;
/** All keys that stood for so long hang on leases that somebody keeps alive. */
const steadyMs = 20_000;

/** What becomes of 1,000 back-end hosts whose etcd was frozen for longer than their leases live, which ends all of them. */
export async function outage(): Promise<void> {
  const etcd = await startFleetEtcd({ members: 3, isProxied: false });
  const started: Workers[] = [];
  const client = createEtcdClient({ hosts: etcd.urls, tls: null });
  const registry = createRegistry({ client, hosts: etcd.urls, keyspace: '/backends/' });
  try {
    const backEnds = await startWorkers('hosts', { count: hosts, mostEach: 125, urls: etcd.urls });
    started.push(backEnds);
    await backEnds.ask({ do: 'start', withinSeconds: hosts / 10 });
    const readers = await startWorkers('clients', { count: clients, mostEach: clients, urls: etcd.urls });
    started.push(readers);
    await readers.ask({ do: 'start', withinSeconds: 0 });
    const before = await etcd.look();
    const revision = await registry.revision(AbortSignal.timeout(10_000));
    await etcd.freeze(awayMs);
    const backAt = performance.now();
    const all: { at: number | null } = { at: null };
    await waitFor(
      'all keys to stand',
      async (seen) => {
        const keys = await registry.countKeys(AbortSignal.timeout(10_000)).catch(() => 0);
        all.at = seen(keys) === hosts * containersPerHost ? (all.at ?? performance.now()) : null;
        return all.at !== null && performance.now() - all.at > steadyMs;
      },
      { timeoutMs: 300_000, intervalMs: 500 },
    );
    const after = await etcd.look();
    await readers.ask({ do: 'await', endpoints: hosts * containersPerHost });
    const figures = {
      'all registered again, s': ((all.at ?? Infinity) - backAt) / 1_000,
      'writes to etcd': (await registry.revision(AbortSignal.timeout(10_000))) - revision,
      'messages to etcd': after.received - before.received,
      'from etcd, MB': (after.sentBytes - before.sentBytes) / 1e6,
      'CPU of etcd, s': (after.cpuMs - before.cpuMs) / 1_000,
      'a member, MiB': after.mib,
    };
    await publish({
      name: 'scale-outage',
      title: `${String(hosts)} back-end hosts of ${String(containersPerHost)} containers, and an etcd of three members that was frozen for ${String(awayMs / 1_000)} s`,
      unit: 'from its return',
      rows: [{ what: 'docker-register', figures }],
      remarks: [`${String(clients)} client hosts beside them; two cores for etcd and all of them`],
      samples: [],
    });
  } finally {
    client.close();
    for (const workers of started) await workers.stop();
    await etcd.dispose();
  }
}
