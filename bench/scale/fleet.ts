import { publish } from '../report.js';
import { drawFleet } from './fleet-chart.js';
import { containersPerHost } from './fleet-orders.js';
import { measureFleet, replacedPerSecond, type FleetShape } from './fleet-phases.js';

/** What two cores can carry for all of it together. */
const shapes: readonly FleetShape[] = [
  { what: '50 hosts, 50 clients', hosts: 50, clients: 50 },
  { what: '50 hosts, 50 clients that poll', hosts: 50, clients: 50, isPolling: true },
  { what: '50 hosts, 300 clients', hosts: 50, clients: 300 },
  { what: '50 hosts, 300 clients by a proxy', hosts: 50, clients: 300, isProxied: true },
];

/** Eight of the client hosts are whole ones. */
const thousands: readonly FleetShape[] = [
  { what: '1,000 hosts, 1,000 clients', hosts: 1_000, clients: 8, light: 992, replaced: [5, 10] },
  { what: '1,000 hosts, 20 clients that poll', hosts: 1_000, clients: 20, isPolling: true, replaced: [5, 10] },
];

/** What a fleet costs etcd: docker-register's and docker-discover's own loops many times over, against a real cluster. */
export function fleet(): Promise<void> {
  return run('scale-fleet', shapes);
}

export function fleetOfThousand(): Promise<void> {
  return run('scale-fleet-1000', thousands);
}

async function run(name: string, all: readonly FleetShape[]): Promise<void> {
  const rows = [];
  const samples = [];
  for (const shape of all) {
    const phases = await measureFleet(shape);
    for (const { phase, figures } of phases) rows.push({ what: `${shape.what}: ${phase}`, figures });
    samples.push({ shape, phases });
    console.log(JSON.stringify({ shape, phases }));
  }
  await publish({
    name,
    title: `a fleet against three members of etcd, ${String(containersPerHost)} containers on each host`,
    unit: 'per row',
    rows,
    remarks: [
      `deploy: ${String(replacedPerSecond)} containers a second are replaced, where no other number is named; lag: from the event of a container to the catalog of each client host`,
      'leader lost: it is killed in the midst of such a deploy; the longest lag is how long nobody heard of a change',
      'loss: a tenth of the hosts falls silent; until each client host has noticed (TTL 15 s)',
      'restart: all client hosts at once; until each has its catalog; two cores for etcd and all of them',
    ],
    samples,
  });
  await drawFleet(name, samples);
}
