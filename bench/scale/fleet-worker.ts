import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import type { FleetOrder, FleetReport, FleetRole } from './fleet-orders.js';
import { runClients } from './fleet-clients.js';
import { runHosts } from './fleet-hosts.js';
import { runPollers } from './fleet-pollers.js';

/**
 * Many hosts of a fleet in one process, started by `fleet-workers.ts`: `fleet-worker.ts hosts|clients|pollers COUNT FIRST ETCD-URL,…`. It is
 * told what to do over the channel to its parent, and answers each order with its figures.
 */
const [role = '', count = '0', first = '0', urls = ''] = process.argv.slice(2);
const hosts = urls.split(',');
const registryFor = (): ReturnType<typeof createRegistry> =>
  createRegistry({ client: createEtcdClient({ hosts, tls: null }), hosts, keyspace: '/backends/' });

const runs = { hosts: runHosts, clients: runClients, pollers: runPollers };
const fleet = runs[role as FleetRole]({
  count: Number(count),
  first: Number(first),
  registryFor,
});

process.on('message', (order: FleetOrder) => {
  void fleet.obey(order).then(
    (report: FleetReport) => process.send?.({ ok: true, report }),
    (error: unknown) => process.send?.({ ok: false, error: String(error) }),
  );
});
// Its parent is gone: nobody would end it.
process.on('disconnect', () => process.exit(1));
process.send?.({ ok: true, report: {} });
