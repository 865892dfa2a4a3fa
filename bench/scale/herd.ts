import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import { every } from '../../src/daemon/lifecycle.js';
import type { Registry } from '../../src/ports/registry.js';
import { publish } from '../report.js';
import { startFleetEtcd } from './fleet-etcd.js';
import { startWorkers } from './fleet-workers.js';

const clients = 992;
const [leases, keysOfLease] = [200, 100];
const beatMs = 200;
/** A lease of 15 s is kept alive every 5 s, and each try has 3 s. */
const [lateMs, timeoutMs] = [1_000, 3_000];

/** What becomes of etcd, and of whoever keeps a lease, when all client hosts begin at once. */
export async function herd(): Promise<void> {
  const rows = [];
  for (const [what, role] of [
    ['each waits for its turn', 'light'],
    ['each lists at once', 'hasty'],
  ] as const) {
    const figures = await measure(role);
    rows.push({ what, figures });
    console.log(`bench:scale: ${what}: ${JSON.stringify(figures)}`);
  }
  await publish({
    name: 'scale-herd',
    title: `${String(clients)} client hosts that begin at once, with ${String(leases * keysOfLease)} keys in three members of etcd`,
    unit: 'per start of all',
    rows,
    remarks: [`beside them a lease is kept alive every ${String(beatMs)} ms; two cores for etcd and all of them`],
    samples: [],
  });
}

async function measure(role: 'light' | 'hasty'): Promise<Readonly<Record<string, number>>> {
  const etcd = await startFleetEtcd({ members: 3, isProxied: false });
  const client = createEtcdClient({ hosts: etcd.urls, tls: null });
  const registry = createRegistry({ client, hosts: etcd.urls, keyspace: '/backends/' });
  const controller = new AbortController();
  try {
    await fill(registry);
    const workers = await startWorkers(role, { count: clients, mostEach: 250, urls: etcd.urls });
    try {
      const lease = await registry.grantLease(3_600_000, AbortSignal.timeout(timeoutMs));
      const beats: number[] = [];
      const beating = every(beatMs, () => beat(registry, lease, beats), controller.signal).catch((error: unknown) => {
        if (!controller.signal.aborted) throw error;
      });
      const before = await etcd.look();
      const { tookMs = 0 } = await workers.ask({ do: 'restart' });
      const after = await etcd.look();
      const { failures = 0 } = await workers.ask({ do: 'report' });
      controller.abort();
      await beating;
      return {
        'all have listed, s': tookMs / 1_000,
        failures,
        'from etcd, MB': (after.sentBytes - before.sentBytes) / 1e6,
        'CPU of etcd, s': (after.cpuMs - before.cpuMs) / 1_000,
        'a member, MiB': after.mib,
        'keep-alives': beats.length,
        'late or failed': beats.filter((ms) => ms > lateMs).length,
        'the longest, ms': Math.max(...beats),
      };
    } finally {
      await workers.stop();
    }
  } finally {
    controller.abort();
    client.close();
    await etcd.dispose();
  }
}

async function fill(registry: Registry): Promise<void> {
  for (let host = 0; host < leases; host += 1) {
    const lease = await registry.grantLease(3_600_000, AbortSignal.timeout(20_000));
    const puts = Array.from({ length: keysOfLease }, (_, n) => ({
      key: `/backends/service-${String(n % 20)}/${(host * keysOfLease + n).toString(16).padStart(12, '0')}`,
      value: `10.1.${String(host)}.${String(n)}:49000?port=8000&at=2026-01-01T00:00:00.000Z`,
    }));
    await registry.apply({ puts, deletes: [] }, lease, AbortSignal.timeout(20_000));
  }
}

/** One keep-alive; of one that fails, the time until it did. */
async function beat(registry: Registry, lease: string, beats: number[]): Promise<void> {
  const askedAt = performance.now();
  const took = await registry.keepAlive(lease, AbortSignal.timeout(timeoutMs)).then(
    () => performance.now() - askedAt,
    () => timeoutMs,
  );
  beats.push(took);
}
