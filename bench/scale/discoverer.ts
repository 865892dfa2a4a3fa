import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { startEtcd } from '../../test/integration/support/etcd.js';
import { haproxyPath } from '../../test/lab/haproxy.js';
import { median, percentile } from '../figures.js';
import { publish } from '../report.js';
import { draw } from './curves.js';
import { fill, withDaemon, type Bed } from './discover-bed.js';
import { changeAtRate, changeOneByOne, changes, rateSeconds, reloads, warmUp } from './discover-changes.js';
import { usedByAll, useOf } from './process.js';

const sizes = [10, 100, 1_000, 10_000];
const starts = 3;
const rates = [1, 10, 100, 1_000];

/** What docker-discover and its HAProxy cost, by the number of endpoints; 1,000 services at most. */
export async function discoverer(): Promise<void> {
  const binary = await haproxyPath(console.log);
  const etcd = await startEtcd();
  // All of 127.0.0.0/8 is this machine: one server answers at every address.
  const backEnd = createHttpServer((_request, response) => response.end('ok'));
  backEnd.listen(0, '0.0.0.0');
  await once(backEnd, 'listening');
  const address = backEnd.address();
  if (address === null || typeof address === 'string') throw new Error('the back end has no port');
  const site: Bed = { binary, etcd, backEndPort: address.port };
  const rows = [];
  const rateRows = [];
  const samples = [];
  try {
    for (const endpoints of sizes) {
      await fill(site, endpoints);
      const colds = [];
      for (let n = 0; n < starts; n += 1)
        colds.push(await withDaemon(site, endpoints, ({ coldMs }) => Promise.resolve(coldMs)));
      const measured = await withDaemon(site, endpoints, async (running) => {
        const [daemon, proxies] = [useOf(running.pid), usedByAll(running.proxies())];
        const one = await changeOneByOne(site, running, endpoints);
        const settledMib = useOf(running.pid).mib;
        const reloadMs = await reloads(site, running);
        const curve = [];
        for (const rate of rates) curve.push({ rate, ...(await changeAtRate(site, running, endpoints, rate)) });
        return {
          mib: daemon.mib,
          settledMib,
          haproxyMib: proxies.mib,
          mibAfter: useOf(running.pid).mib,
          one,
          reloadMs,
          curve,
        };
      });
      samples.push({ endpoints, colds, ...measured });
      rows.push({
        what: `${String(endpoints)} endpoints`,
        figures: {
          'serving, ms': median(colds),
          'put to pool, p50 ms': percentile(measured.one.times, 0.5),
          'p99 ms': percentile(measured.one.times, 0.99),
          'CPU ms each': measured.one.cpuMs,
          'reload, ms': measured.reloadMs,
          'resident at its start, MiB': measured.mib,
          'settled, MiB': measured.settledMib,
          'after all, MiB': measured.mibAfter,
          'HAProxy MiB': measured.haproxyMib,
        },
      });
      for (const { rate, cpu, haproxyCpu, behindMs } of measured.curve) {
        rateRows.push({
          what: `${String(endpoints)} endpoints, ${String(rate)} changes/s`,
          figures: { 'CPU, % of a core': cpu, 'HAProxy, %': haproxyCpu, 'at the end behind, ms': behindMs },
        });
      }
    }
  } finally {
    backEnd.close();
    backEnd.closeAllConnections();
    await etcd.dispose();
  }
  await publish({
    name: 'scale-discoverer',
    title: 'docker-discover, by endpoints, in services of ten',
    unit: 'per row',
    rows,
    remarks: [
      `serving: from the start of the process until all listeners answer a request, median of ${String(starts)}`,
      `put to pool: from the put until docker-discover has told HAProxy, ${String(changes)} changes one after the other, after ${String(warmUp)} to warm up; CPU of docker-discover`,
      'settled: after those, when it has collected the garbage of its start; after all: of changes at every rate, and reloads',
      'targets: 10,000 serving within 3 s; p99 25 ms with 10,000; below 150 MB (143 MiB) resident',
    ],
    samples,
  });
  await publish({
    name: 'scale-discoverer-rates',
    title: `docker-discover under steady change, ${String(rateSeconds)} s each`,
    unit: 'per row',
    rows: rateRows,
    remarks: [
      'behind: from the last put until the last change is in the pool; quiet periods of 10 to 200 ms are part of it',
    ],
    samples: null,
  });
  await draw({
    name: 'scale-discoverer',
    title: 'docker-discover',
    along: 'endpoints',
    unit: 'ms, MiB',
    series: [
      { what: 'serving, ms', points: samples.map(({ endpoints, colds }) => [endpoints, median(colds)]) },
      {
        what: 'put to pool, p50 ms',
        points: samples.map(({ endpoints, one }) => [endpoints, percentile(one.times, 0.5)]),
      },
      {
        what: 'put to pool, p99 ms',
        points: samples.map(({ endpoints, one }) => [endpoints, percentile(one.times, 0.99)]),
      },
      { what: 'CPU of a change, ms', points: samples.map(({ endpoints, one }) => [endpoints, one.cpuMs]) },
      { what: 'settled, MiB', points: samples.map(({ endpoints, settledMib }) => [endpoints, settledMib]) },
      { what: 'HAProxy, MiB', points: samples.map(({ endpoints, haproxyMib }) => [endpoints, haproxyMib]) },
    ],
  });
}
