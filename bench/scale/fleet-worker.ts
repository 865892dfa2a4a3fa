import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import type { FleetOrder, FleetReport } from './fleet-orders.js';
import { runClients } from './fleet-clients.js';
import { runHosts } from './fleet-hosts.js';

/**
 * Many hosts of a fleet in one process, started by `fleet.ts`: `fleet-worker.ts hosts|clients COUNT FIRST ETCD-URL,…`. It is
 * told what to do over the channel to its parent, and answers each order with its figures.
 */
const [role = '', count = '0', first = '0', urls = ''] = process.argv.slice(2);
const hosts = urls.split(',');
const registryFor = (): ReturnType<typeof createRegistry> =>
  createRegistry({ client: createEtcdClient({ hosts, tls: null }), hosts, keyspace: '/backends/' });

const fleet = (role === 'hosts' ? runHosts : runClients)({
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
