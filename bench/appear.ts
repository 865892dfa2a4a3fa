import { fileURLToPath } from 'node:url';
import { startDiscover, startRegister } from '../test/e2e/support/pair.js';
import { haproxyPath } from '../test/lab/haproxy.js';
import type { Lab } from '../test/lab/lab.js';
import { spreadOf } from './figures.js';
import { eventAtMs } from './pair.js';
import { startProber } from './probing.js';
import { publish } from './report.js';

const runs = 50;
/** The polling pair takes seconds each time. */
const polledRuns = 8;

/** From a container's start until it answers a client on another host. */
export async function appear(lab: Lab): Promise<void> {
  const { client, etcd } = lab;
  const [backend] = lab.backends;
  const script = fileURLToPath(new URL('polling-pair.sh', import.meta.url));
  await startRegister(lab, backend);
  await startDiscover(lab, '-e LINGER=1h');
  const polling = [
    backend.spawn(`exec bash ${script} register ${backend.ip} ${etcd.ip}`),
    client.spawn(`exec bash ${script} discover ${etcd.ip} 8100 ${await haproxyPath()} /run/polling`),
  ];
  const prober = startProber(client);

  let port = 9_000;
  const appearOnce = async (isPolled: boolean): Promise<{ floor: number; ours: number; polled: number | null }> => {
    // Another port each time: the polling pair still knows the last one.
    port += 1;
    const id = (await backend.docker('create', '-p', `${String(port)}:8000`, 'whoami')).slice(0, 12);
    const sinceMs = Date.now();
    const direct = prober.until(`http://${backend.ip}:${String(port)}/`, id);
    const ours = prober.until(`http://${client.ip}:8000/`, id);
    await backend.docker('start', id);
    const startedAtMs = await eventAtMs(backend, id, 'start', sinceMs);
    const polled = isPolled ? (await prober.until(`http://${client.ip}:8100/`, id)).atMs - startedAtMs : null;
    const figures = { floor: (await direct).atMs - startedAtMs, ours: (await ours).atMs - startedAtMs, polled };
    await backend.docker('rm', '-f', id);
    return figures;
  };

  try {
    // Warm-up: the first brings the listener too.
    for (let run = 0; run < 3; run += 1) await appearOnce(false);
    const samples = [];
    for (let run = 0; run < runs; run += 1) samples.push(await appearOnce(run < polledRuns));
    const floor = spreadOf(samples.map((sample) => sample.floor));
    const ours = spreadOf(samples.map((sample) => sample.ours));
    const above = spreadOf(samples.map((sample) => sample.ours - sample.floor));
    const polled = spreadOf(samples.flatMap((sample) => sample.polled ?? []));
    const times = (polled.p50 / ours.p50).toFixed(0);
    await publish({
      name: 'appear',
      title: "from Docker's start event until the first answer on another host",
      unit: 'ms',
      rows: [
        { what: 'directly on its host port', figures: { ...floor } },
        { what: 'through docker-discover', figures: { ...ours } },
        { what: 'the difference of each run', figures: { ...above } },
        { what: 'through the polling pair', figures: { ...polled } },
      ],
      remarks: [
        `above the floor: p50 ${above.p50.toFixed(1)} ms (target 40), p99 ${above.p99.toFixed(1)} ms (target 120)`,
        `${times} times faster than the polling pair at p50 (target 50)`,
      ],
      samples,
    });
  } finally {
    await prober.stop();
    await Promise.all(polling.map((child) => child.stop()));
  }
}
