import { ls, startDiscover, startRegister } from '../test/e2e/support/pair.js';
import type { EngineHost, Lab } from '../test/lab/lab.js';
import { waitFor } from '../test/lab/wait-for.js';
import { publish } from './report.js';

const containers = 200;

/** Many containers that are started at once. */
export async function burst(lab: Lab): Promise<void> {
  const { backends, client } = lab;
  for (const host of backends) await startRegister(lab, host);
  await startDiscover(lab, '-e LINGER=1h');
  const share = containers / backends.length;
  // One that brings the listener: it is endpoints that are counted.
  await backends[0].docker('run', '-d', '-p', ':8000', 'whoami');
  await waitFor('the listener', async () => (await ls(lab)).listeners.length === 1);
  for (const host of backends) {
    await host.run(`for i in $(seq ${String(share)}); do docker create -p :8000 whoami >/dev/null; done`, {
      timeoutMs: 120_000,
    });
  }
  const before = (await ls(lab)).haproxy;
  const sinceMs = Date.now();
  await Promise.all(
    backends.map((host) =>
      host.run('docker ps -aq -f status=created | xargs -P 4 -n 25 docker start >/dev/null', { timeoutMs: 300_000 }),
    ),
  );
  const startedMs = Date.now() - sinceMs;
  await waitFor(
    'all to be served',
    async (seen) => seen((await ls(lab)).listeners[0]?.endpoints.length) === containers + 1,
  );
  const servedMs = Date.now() - sinceMs;
  const after = (await ls(lab)).haproxy;
  const batchesOf = async (host: EngineHost, container: string, message: string): Promise<number[]> => {
    const { stdout } = await host.run(`docker logs --since ${(sinceMs / 1_000).toFixed(3)} ${container} 2>&1`);
    const lines = stdout.split('\n').filter((line) => line.includes(message));
    return lines.map((line) => new Date((JSON.parse(line) as { time: string }).time).getTime());
  };
  const changes = await batchesOf(client, 'docker-discover', '"HAProxy changed"');
  const puts = await Promise.all(backends.map((host) => batchesOf(host, 'docker-register', '"registered"')));
  // A batch is told in one go: what is logged within the same two milliseconds was put in one transaction.
  const transactions = puts.flatMap((times) => times.filter((time, at) => time - (times[at - 1] ?? 0) > 2)).length;
  await publish({
    name: 'burst',
    title: `${String(containers)} containers started at once on two hosts`,
    unit: 'per row',
    rows: [
      { what: 'until the last container ran', figures: { seconds: startedMs / 1_000 } },
      { what: 'until the last was served', figures: { seconds: servedMs / 1_000 } },
      { what: 'transactions to etcd', figures: { count: transactions } },
      { what: 'batches of commands to HAProxy', figures: { count: changes.length } },
      { what: 'reloads', figures: { count: after.reloads - before.reloads } },
    ],
    remarks: [`quiet periods: docker-register 5 to 100 ms, docker-discover 10 to 200 ms`],
    samples: { changes, puts },
  });
}
