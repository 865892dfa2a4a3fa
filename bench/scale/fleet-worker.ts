import { setPriority } from 'node:os';
import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import type { Connected, FleetOptions, FleetOrder, FleetReport, FleetRole } from './fleet-orders.js';
import { runClients } from './fleet-clients.js';
import { runHosts } from './fleet-hosts.js';
import { runLight } from './fleet-light.js';
import { runPollers } from './fleet-pollers.js';

/**
 * Many hosts of a fleet in one process, started by `fleet-workers.ts`: `fleet-worker.ts hosts|clients|light|hasty|pollers COUNT FIRST ETCD-URL,…`. It is
 * told what to do over the channel to its parent, and answers each order with its figures.
 */
const [role = '', count = '0', first = '0', urls = ''] = process.argv.slice(2);
// etcd goes first: on hosts of their own, these would not keep it from its work.
setPriority(5);
const hosts = urls.split(',');
const connect = (): Connected => {
  const client = createEtcdClient({ hosts, tls: null });
  return {
    registry: createRegistry({ client, hosts, keyspace: '/backends/' }),
    clientHosts: createRegistry({ client, hosts, keyspace: '/backends-clients/' }),
    close: () => {
      client.close();
    },
  };
};

const runs = {
  hosts: runHosts,
  clients: runClients,
  light: (options: FleetOptions) => runLight({ ...options, waitsForTurn: true }),
  hasty: (options: FleetOptions) => runLight({ ...options, waitsForTurn: false }),
  pollers: runPollers,
};
const fleet = runs[role as FleetRole]({
  count: Number(count),
  first: Number(first),
  urls: hosts,
  connect,
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
