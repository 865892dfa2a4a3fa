import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../../test/lab/lab.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { startEtcd, type TestEtcd } from '../../test/integration/support/etcd.js';
import { freePorts } from '../../test/integration/support/free-ports.js';
import { median, percentile } from '../figures.js';
import { publish } from '../report.js';
import { draw } from './curves.js';
import { generated, real, type Containers } from './containers.js';
import { startBuilt, useOf } from './process.js';

const sizes = [1, 10, 100, 1_000, 5_000];
const realContainers = 100;
const starts = 3;
const changes = 100;

/** What docker-register costs, by the number of containers on its host. */
export async function registrar(): Promise<void> {
  const etcd = await startEtcd();
  const rows = [];
  const samples: { readonly containers: number; readonly runs: readonly Measured[] }[] = [];
  const measured = async (times: number, start: () => Promise<Containers>): Promise<Measured[]> => {
    const runs: Measured[] = [];
    for (let n = 0; n < times; n += 1) {
      const containers = await start();
      try {
        runs.push(await measure(etcd, containers));
      } finally {
        await containers.close();
      }
    }
    return runs;
  };
  try {
    for (const containers of sizes) {
      const runs = await measured(starts, () => generated(containers));
      samples.push({ containers, runs });
      rows.push(rowOf(`${String(containers)} containers`, runs));
    }
    const lab = await startLab({ log: console.log });
    try {
      // Once: Docker takes a minute for so many.
      const runs = await measured(1, () => real(lab.backends[0], realContainers));
      rows.push(rowOf(`${String(realContainers)} containers of a real Docker`, runs));
    } finally {
      await lab.stop();
    }
  } finally {
    await etcd.dispose();
  }
  await publish({
    name: 'scale-registrar',
    title: 'docker-register, by containers on its host',
    unit: 'per row',
    rows,
    remarks: [
      `median of ${String(starts)} starts; a generated Docker API on a unix socket (one start with a real Docker), a real etcd; from the start of the process`,
      `a change: a container goes, another comes, ${String(changes)} times one after the other, after as many to warm up; until etcd's watch tells the new key (of a real Docker, most of that is Docker's own)`,
      'targets: 1,000 registered within 2 s of start; a change costs the same with 10 as with 1,000',
    ],
    samples,
  });
  const curve = (what: string, figure: keyof Measured): { what: string; points: [number, number][] } => ({
    what,
    points: samples.map(({ containers, runs }) => [containers, median(runs.map((run) => run[figure]))]),
  });
  await draw({
    name: 'scale-registrar',
    title: 'docker-register',
    along: 'containers on its host',
    unit: 'ms',
    series: [
      curve('all registered', 'completeMs'),
      curve('CPU for that', 'startCpuMs'),
      curve('a change', 'changeMs'),
      curve('CPU of a change', 'changeCpuMs'),
    ],
  });
}

function rowOf(what: string, runs: readonly Measured[]): Parameters<typeof publish>[0]['rows'][0] {
  const of = (figure: keyof Measured): number => median(runs.map((run) => run[figure]));
  return {
    what,
    figures: {
      'all registered, ms': of('completeMs'),
      'slowest, ms': percentile(
        runs.map(({ completeMs }) => completeMs),
        1,
      ),
      'start, CPU ms': of('startCpuMs'),
      'resident MiB': of('mib'),
      'etcd requests': of('startRequests'),
      'a change, CPU ms': of('changeCpuMs'),
      'a change, ms': of('changeMs'),
      'etcd requests each': of('changeRequests'),
    },
  };
}

interface Measured {
  readonly completeMs: number;
  readonly startCpuMs: number;
  readonly startRequests: number;
  readonly mib: number;
  readonly changeMs: number;
  readonly changeCpuMs: number;
  readonly changeRequests: number;
}

async function measure(etcd: TestEtcd, { hostIp, socketPath, ids, replace }: Containers): Promise<Measured> {
  const dir = await mkdtemp(join(tmpdir(), 'scale-'));
  const [leaving = '', ...others] = ids();
  const containers = others.length + 1;
  const [metricsPort = 0] = await freePorts(1);
  const requests = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`)).text();
    const counts = [...text.matchAll(/^docker_register_etcd_request_duration_seconds_count\{.*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };

  const keys = new Set<string>();
  let onKey: () => void = () => undefined;
  const controller = new AbortController();
  const { revision } = await etcd.registry.list(controller.signal);
  const watching = etcd.registry.watch(
    revision,
    (events) => {
      for (const event of events) {
        if (event.kind === 'put') keys.add(event.entry.key);
        else keys.delete(event.key);
      }
      onKey();
    },
    controller.signal,
  );
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${String(keys.size)} keys after 60 s:\n${daemon.tail()}`));
      }, 60_000);
      onKey = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        onKey = () => undefined;
        resolve();
      };
      // It may have come meanwhile.
      onKey();
    });

  const startedAt = performance.now();
  const daemon = startBuilt('docker-register', {
    HOST_IP: hostIp,
    ETCD_HOST: etcd.host,
    DOCKER_HOST: `unix://${socketPath}`,
    RUN_DIR: dir,
    METRICS_BIND: `127.0.0.1:${String(metricsPort)}`,
    WITHDRAW_ON_EXIT: 'yes',
    RESYNC: '1h',
    MAX_REGISTRATIONS: '1000000',
  });
  try {
    await until(() => keys.size === containers);
    const completeMs = performance.now() - startedAt;
    const { pid } = daemon;
    const started = useOf(pid);
    const startRequests = await requests();

    let last = leaving;
    /** @returns how long it took, ms */
    const change = async (): Promise<number> => {
      const changedAt = performance.now();
      const came = await replace(last);
      last = came;
      await until(() => keys.size === containers && [...keys].some((key) => key.endsWith(came.slice(0, 12))));
      return performance.now() - changedAt;
    };
    for (let n = 0; n < changes; n += 1) await change();
    const [before, requestsBefore] = [useOf(pid).cpuMs, await requests()];
    const times = [];
    for (let n = 0; n < changes; n += 1) times.push(await change());
    const after = useOf(pid);
    const changeRequests = ((await requests()) - requestsBefore) / changes;
    return {
      completeMs,
      startCpuMs: started.cpuMs,
      startRequests,
      mib: started.mib,
      changeMs: median(times),
      changeCpuMs: (after.cpuMs - before) / changes,
      changeRequests,
    };
  } finally {
    await daemon.stop();
    await waitFor(
      'the registrations to be withdrawn',
      async () => (await etcd.registry.list(AbortSignal.timeout(5_000))).entries.length === 0,
    );
    controller.abort();
    await watching;
    await rm(dir, { recursive: true, force: true });
  }
}
