import { answeredBy, startDiscover, startRegister, startWhoami } from '../test/e2e/support/pair.js';
import type { Lab } from '../test/lab/lab.js';
import { waitFor } from '../test/lab/wait-for.js';
import { spreadOf } from './figures.js';
import { eventAtMs, loggedAtMs } from './pair.js';
import { startProber } from './probing.js';
import { publish } from './report.js';

const runs = 25;
/** As the first process of its container it gets no SIGTERM, and answers until it is killed: who still asks it is seen. */
const deafServer = `b=/bin/busybox; $b mkdir -p /www; echo "I'm $($b hostname)" >/www/index.html; exec $b httpd -f -p 8000 -h /www`;

/** From `docker stop` and `docker kill` until no new connection goes there. */
export async function vanish(lab: Lab): Promise<void> {
  const { client } = lab;
  const [backend1, backend2] = lab.backends;
  const staying = await startWhoami(backend2, { options: '-p 8000:8000' });
  await startRegister(lab, backend1);
  await startRegister(lab, backend2);
  await startDiscover(lab);
  const prober = startProber(client);
  const url = `http://${client.ip}:8000/`;

  const start = async (): Promise<string> => {
    const full = await backend1.docker(
      'run',
      '-d',
      '-p',
      '8000:8000',
      'whoami',
      '/bin/busybox',
      'sh',
      '-c',
      deafServer,
    );
    const id = full.slice(0, 12);
    await answeredBy(lab, 8000, [staying, id]);
    return id;
  };
  /** Both as ms after Docker's kill event: the start of the last request that it answered, and when HAProxy had been told. */
  const goOnce = async (how: readonly string[]): Promise<{ answered: number; told: number }> => {
    const id = await start();
    const sinceMs = Date.now();
    const last = prober.lastOf(url, id, 1_000);
    await backend1.docker(...how, id);
    const { atMs } = await last;
    const goneAtMs = await eventAtMs(backend1, id, 'kill', sinceMs);
    const toldAtMs = await waitFor('the log', () => loggedAtMs(lab, 'HAProxy changed', id, sinceMs));
    await backend1.docker('rm', '-f', id);
    return { answered: Math.max(0, atMs - goneAtMs), told: toldAtMs - goneAtMs };
  };

  try {
    await goOnce(['kill']);
    const stopped = [];
    const killed = [];
    for (let run = 0; run < runs; run += 1) {
      stopped.push(await goOnce(['stop', '-t', '2']));
      killed.push(await goOnce(['kill']));
    }
    const stop = spreadOf(stopped.map(({ answered }) => answered));
    const kill = spreadOf(killed.map(({ told }) => told));
    await publish({
      name: 'vanish',
      title: "from Docker's kill event until no new connection goes there",
      unit: 'ms',
      rows: [
        { what: 'docker stop: the last request that it got', figures: { ...stop } },
        { what: 'docker stop: HAProxy told', figures: { ...spreadOf(stopped.map(({ told }) => told)) } },
        { what: 'docker kill: HAProxy told', figures: { ...kill } },
      ],
      remarks: [`p50 ${stop.p50.toFixed(1)} ms after a stop, ${kill.p50.toFixed(1)} ms after a kill (target 50)`],
      samples: { stopped, killed },
    });
  } finally {
    await prober.stop();
  }
}
