import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../../src/adapters/haproxy/socket.js';
import { startEtcd, type TestEtcd } from '../../test/integration/support/etcd.js';
import { freePorts } from '../../test/integration/support/free-ports.js';
import { haproxyPath } from '../../test/lab/haproxy.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { median, percentile } from '../figures.js';
import { publish } from '../report.js';
import { pidOf, pidsOf, startBuilt, useOf, type MeasuredDaemon } from './process.js';

const sizes = [10, 100, 1_000, 10_000];
const perService = 10;
/** Below the ports of connections, above those of most that runs on a machine. */
const firstPort = 20_000;
const starts = 3;
const changes = 200;
const rates = [1, 10, 100, 1_000];
const rateSeconds = 10;

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
        const [daemon, proxies] = [useOf(running.pid), running.proxies()];
        const one = await changeOneByOne(site, running, endpoints);
        const reloadMs = await reloads(site, running);
        const curve = [];
        for (const rate of rates) curve.push({ rate, ...(await changeAtRate(site, running, endpoints, rate)) });
        return {
          mib: daemon.mib,
          haproxyMib: proxies.reduce((sum, pid) => sum + useOf(pid).mib, 0),
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
          'resident MiB': measured.mib,
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
      `put to pool: from the put until docker-discover has told HAProxy, ${String(changes)} changes one after the other; CPU of docker-discover`,
      'targets: 10,000 serving within 3 s; p99 25 ms with 10,000; below 150 MiB resident',
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
}

interface Bed {
  readonly binary: string;
  readonly etcd: TestEtcd;
  readonly backEndPort: number;
}

interface Running {
  readonly daemon: MeasuredDaemon;
  readonly pid: number;
  readonly coldMs: number;
  /** HAProxy's processes. */
  readonly proxies: () => number[];
  /** Resolves when a line of the log has this word in it that comes from now on. */
  readonly told: (word: string) => Promise<number>;
  readonly ask: (line: string) => Promise<string>;
}

function keyAt(n: number): string {
  return `/backends/service-${String(Math.floor(n / perService))}/${n.toString(16).padStart(12, '0')}`;
}

/** @param host numbers of addresses from 127.1.0.0 on */
function valueAt({ backEndPort }: Bed, n: number, host: number): string {
  const ip = `127.${String(1 + (host >> 16))}.${String((host >> 8) & 255)}.${String(host & 255)}`;
  return `${ip}:${String(backEndPort)}?port=${String(firstPort + Math.floor(n / perService))}`;
}

async function put({ etcd }: Bed, puts: readonly { readonly key: string; readonly value: string }[]): Promise<void> {
  await etcd.registry.apply({ puts, deletes: [] }, '0', AbortSignal.timeout(60_000));
}

async function fill(bed: Bed, count: number): Promise<void> {
  await bed.etcd.client.delete().prefix('/backends/');
  await put(
    bed,
    Array.from({ length: count }, (_, n) => ({ key: keyAt(n), value: valueAt(bed, n, n + 1) })),
  );
}

async function withDaemon<T>(bed: Bed, endpoints: number, use: (running: Running) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'scale-'));
  const [statsPort = 0] = await freePorts(1);
  const startedAt = performance.now();
  const daemon = startBuilt('docker-discover', {
    ETCD_HOST: bed.etcd.host,
    HAPROXY: bed.binary,
    RUN_DIR: join(dir, 'run'),
    STATE_DIR: join(dir, 'state'),
    BIND: '127.0.0.1',
    NETWORKS: '127.0.0.0/8',
    STATS_BIND: `127.0.0.1:${String(statsPort)}`,
    METRICS_BIND: 'none',
    RELOAD_INTERVAL: '0s',
    STOP_TIMEOUT: '0s',
    // What it costs where the limits let it.
    ...Object.fromEntries(
      ['KEYS', 'KEYS_PER_LEASE', 'SERVICES', 'ENDPOINTS', 'LISTENERS'].map((name) => [`MAX_${name}`, '1000000']),
    ),
  });
  const waiting: { word: string; resolve: (at: number) => void }[] = [];
  daemon.onLine((line) => {
    const at = performance.now();
    for (const one of [...waiting]) {
      if (!line.includes(one.word)) continue;
      waiting.splice(waiting.indexOf(one), 1);
      one.resolve(at);
    }
  });
  try {
    const services = Math.ceil(endpoints / perService);
    await waitFor(
      `${String(services)} listeners to answer`,
      async () => {
        // The last first: while it does not, asking the others would only take time from who is to open them.
        for (let at = services - 1; at >= 0; at -= 1) await requestTo(firstPort + at);
        return true;
      },
      { timeoutMs: 60_000, intervalMs: 5 },
    ).catch((error: unknown) => {
      throw new Error(`docker-discover did not serve:\n${daemon.tail()}`, { cause: error });
    });
    const coldMs = performance.now() - startedAt;
    const line = (text: string): Promise<string> =>
      ask(join(dir, 'run', 'haproxy.sock'), text, AbortSignal.timeout(10_000));
    const servers = (await line('show servers state')).split('\n').filter((row) => /^\d+ service-/.test(row)).length;
    if (servers !== endpoints) throw new Error(`HAProxy has ${String(servers)} servers, not ${String(endpoints)}`);
    return await use({
      daemon,
      pid: pidOf('dist/cli/docker-discover.js', '--max-semi-space-size=1'),
      coldMs,
      proxies: () => pidsOf('haproxy', join(dir, 'run')),
      told: (word) => new Promise((resolve) => waiting.push({ word, resolve })),
      ask: line,
    });
  } finally {
    await daemon.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** One request over a connection of its own. */
function requestTo(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.setTimeout(2_000, () => socket.destroy(new Error(`port ${String(port)} is silent`)));
    socket.once('data', (data) => {
      socket.destroy();
      if (data.toString().startsWith('HTTP/1.1 200')) resolve();
      else reject(new Error(data.toString()));
    });
    socket.once('error', reject);
    socket.once('end', () => {
      reject(new Error(`port ${String(port)} has no back end`));
    });
  });
}

/** An endpoint moves to an address that nobody had. */
async function changeOneByOne(
  bed: Bed,
  { pid, told }: Running,
  endpoints: number,
): Promise<{ times: number[]; cpuMs: number }> {
  const times = [];
  const before = useOf(pid).cpuMs;
  for (let n = 0; n < changes; n += 1) {
    const of = n % endpoints;
    const host = 100_000 + n;
    const value = valueAt(bed, of, host);
    const seen = told(value.replace(/\?.*/, ''));
    const putAt = performance.now();
    await put(bed, [{ key: keyAt(of), value }]);
    times.push((await seen) - putAt);
  }
  return { times, cpuMs: (useOf(pid).cpuMs - before) / changes };
}

/** A service that was not there, ten times. */
async function reloads(bed: Bed, { told, daemon }: Running): Promise<number> {
  const times: number[] = [];
  daemon.onLine((line) => {
    const tookMs = /"tookMs":(\d+).*"HAProxy reloaded"/.exec(line)?.[1];
    if (tookMs !== undefined) times.push(Number(tookMs));
  });
  for (let n = 0; n < 10; n += 1) {
    const seen = told('"HAProxy reloaded"');
    const port = firstPort + 2_000 + n;
    await put(bed, [
      {
        key: `/backends/new-${String(n)}/one`,
        value: `127.200.0.${String(n + 1)}:${String(bed.backEndPort)}?port=${String(port)}`,
      },
    ]);
    await seen;
    await waitFor('its listener', () => requestTo(port).then(() => true), { intervalMs: 5 });
  }
  return median(times);
}

/** Endpoints move, so many a second, for a while. */
async function changeAtRate(
  bed: Bed,
  { pid, proxies, ask: askHaproxy }: Running,
  endpoints: number,
  rate: number,
): Promise<{ cpu: number; haproxyCpu: number; behindMs: number }> {
  const proxyPids = proxies();
  const used = (): number[] => [useOf(pid).cpuMs, proxyPids.reduce((sum, one) => sum + useOf(one).cpuMs, 0)];
  const [before = 0, proxyBefore = 0] = used();
  const startedAt = performance.now();
  const total = rate * rateSeconds;
  let last = '';
  let lastKey = '';
  for (let n = 0; n < total;) {
    // In batches of a tick, as hosts do; not more than a transaction takes.
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * rate));
    const batch = new Map<string, string>();
    for (; n < due && batch.size < 100; n += 1) {
      lastKey = keyAt((n * 7) % endpoints);
      last = valueAt(bed, (n * 7) % endpoints, 200_000 + rate * 20_000 + n);
      batch.set(lastKey, last);
    }
    if (batch.size > 0)
      await put(
        bed,
        [...batch].map(([key, value]) => ({ key, value })),
      );
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const putAt = performance.now();
  const [ip = ''] = last.split(':');
  const service = /\/(service-\d+)\//.exec(lastKey)?.[1] ?? '';
  await waitFor(
    'the last change to be in the pool',
    async () =>
      (await askHaproxy(`show servers state ${service}:${/port=(\d+)/.exec(last)?.[1] ?? ''}`)).includes(` ${ip} `),
    { intervalMs: 2 },
  );
  const behindMs = performance.now() - putAt;
  const seconds = (performance.now() - startedAt) / 1000;
  const [after = 0, proxyAfter = 0] = used();
  return { cpu: (after - before) / seconds / 10, haproxyCpu: (proxyAfter - proxyBefore) / seconds / 10, behindMs };
}
