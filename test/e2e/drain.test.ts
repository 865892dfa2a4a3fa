import { beforeEach, expect, it } from 'vitest';
import { startTraffic } from '../lab/demo/traffic.js';
import type { EngineHost, Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { answeredBy, keys, ls, startDiscover, startRegister, startWhoami } from './support/pair.js';
import { useLab } from './support/use-lab.js';

const currentLab = useLab();
let lab: Lab;
let client: EngineHost;
let backend1: EngineHost;
let backend2: EngineHost;

beforeEach(() => {
  lab = currentLab();
  client = lab.client;
  [backend1, backend2] = lab.backends;
});

/**
 * On SIGTERM it answers on for a moment (a connection that the kernel has accepted for it already would be reset if it closed its
 * port at once), then finishes the requests that it has, and ends.
 */
const graceful = `
  cd /bin; b=/bin/busybox
  $b mkdir -p /www/cgi-bin; echo "I'm $($b hostname)" >/www/index.html
  printf '#!/bin/busybox sh\\n/bin/busybox sleep 20\\nwhile [ ! -e /go ]; do /bin/busybox sleep 0.1; done\\nprintf "Content-type: text/plain\\r\\n\\r\\nslow"\\n' >/www/cgi-bin/slow
  $b chmod +x /www/cgi-bin/slow
  trap '$b sleep 1; kill $server; while $b ps | $b grep -q "[b]in/busybox httpd"; do $b sleep 0.1; done; exit 0' TERM
  $b httpd -f -p 8000 -h /www & server=$!
  wait $server`;

async function startGraceful(port: string): Promise<string> {
  const full = await backend1.docker('run', '-d', '-p', port, 'whoami', '/bin/busybox', 'sh', '-c', graceful);
  return full.slice(0, 12);
}

const running = async (host: EngineHost, id: string): Promise<boolean> =>
  (await host.docker('ps', '-q', '--filter', `id=${id}`)) !== '';

it('docker stop of a service that finishes its requests loses none, be it one of 20 s', async () => {
  const stopping = await startGraceful('8000:8000');
  await startRegister(lab, backend1);
  await startRegister(lab, backend2);
  await startDiscover(lab);
  await answeredBy(lab, 8000, [stopping]);

  const slow = client.run(`curl -sS --max-time 90 -w ' %{http_code}' ${client.ip}:8000/cgi-bin/slow`, {
    timeoutMs: 100_000,
  });
  await waitFor('the slow request to be under way', async (seen) =>
    seen((await ls(lab)).listeners).some(({ endpoints }) => endpoints.some(({ sessions }) => sessions === 1)),
  );
  const staying = await startWhoami(backend2, { options: '-p 8000:8000' });
  await answeredBy(lab, 8000, [stopping, staying]);
  const before = (await ls(lab)).haproxy;

  const traffic = startTraffic(client, `${client.ip}:8000`);
  const stop = backend1.run(`docker stop -t 90 ${stopping}`, { timeoutMs: 100_000 });
  await waitFor('the stop to be announced', async (seen) =>
    seen((await lab.etcd.run(`etcdctl get --print-value-only /backends/whoami/${stopping}`)).stdout).includes(
      'state=drain',
    ),
  );
  await answeredBy(lab, 8000, [staying]);
  expect(await running(backend1, stopping)).toBe(true);
  await backend1.docker('exec', stopping, '/bin/busybox', 'touch', '/go');
  expect((await slow).stdout).toBe('slow 200');
  await stop;
  await waitFor('its key to go', async (seen) => seen(await keys(lab)).length === 1);
  await waitFor('its server to go', async (seen) => seen((await ls(lab)).listeners)[0]?.endpoints.length === 1);
  const { requests, failures } = await traffic.end();
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(50);
  const after = (await ls(lab)).haproxy;
  expect({ pid: after.workerPid, reloads: after.reloads }).toEqual({ pid: before.workerPid, reloads: before.reloads });
});

it('a long connection is left to the container: it lives as long as that does', async () => {
  const echo = 'trap "" TERM; exec /bin/busybox nc -ll -p 8000 -e /bin/busybox cat';
  const id = (await backend1.docker('run', '-d', '-p', '8000:8000', 'whoami', '/bin/busybox', 'sh', '-c', echo)).slice(
    0,
    12,
  );
  await startRegister(lab, backend1);
  await startDiscover(lab);
  await waitFor('the listener', async (seen) => seen((await ls(lab)).listeners).length === 1);
  const connection = client.spawn(`exec 3<>/dev/tcp/${client.ip}/8000; cat <&3 & cat >&3`);
  let echoed = '';
  connection.stdout.setEncoding('utf8').on('data', (text: string) => (echoed += text));
  try {
    connection.stdin.write('before\n');
    await waitFor('the echo', () => echoed.includes('before'));
    const stop = backend1.docker('stop', '-t', '15', id);
    await waitFor('the drain', async (seen) => seen((await ls(lab)).listeners)[0]?.endpoints[0]?.weight === 0);
    connection.stdin.write('while it stops\n');
    await waitFor('the echo', () => echoed.includes('while it stops'));
    await stop;
    await waitFor('its server to go', async (seen) => seen((await ls(lab)).listeners)[0]?.endpoints.length === 0);
  } finally {
    await connection.stop();
  }
});

it('a hundred changes of endpoints are made by one worker', async () => {
  await startRegister(lab, backend1);
  await startDiscover(lab);
  const staying = await startWhoami(backend1, { options: '-p :8000' });
  await answeredBy(lab, 8000, [staying]);
  // A worker serves before its reload is over.
  const before = await waitFor('the end of the reload', async (seen) => {
    const { haproxy } = await ls(lab);
    return seen(haproxy.reloads) === 1 && haproxy;
  });
  const traffic = startTraffic(client, `${client.ip}:8000`);
  // Started, announced to stop, gone: three changes of each of 36.
  for (let round = 0; round < 3; round += 1) {
    const ids = await Promise.all(Array.from({ length: 12 }, () => startGraceful(':8000')));
    await answeredBy(lab, 8000, [staying, ...ids]);
    await backend1.docker('stop', '-t', '10', ...ids);
  }
  await waitFor('the last to go', async (seen) => seen((await ls(lab)).listeners)[0]?.endpoints.length === 1);
  const after = (await ls(lab)).haproxy;
  expect({ pid: after.workerPid, reloads: after.reloads }).toEqual({ pid: before.workerPid, reloads: before.reloads });
  expect(after.runtimeChanges - before.runtimeChanges).toBeGreaterThanOrEqual(100);
  expect((await traffic.end()).failures).toEqual([]);
});
