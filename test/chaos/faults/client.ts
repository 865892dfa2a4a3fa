import { discoverReady } from '../../e2e/support/pair.js';
import type { EngineHost } from '../../lab/lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { ClientName } from '../kinds.js';
import { clientOf, type Stage } from '../stage.js';
import { clientNamed, deaf, frozen, nothing, type Begin } from './begin.js';

/** Of docker-discover, its HAProxy and its way to etcd. */
export const clientFaults = {
  'client-without-etcd': (stage, target) => deaf(stage, [clientOf(stage, clientNamed(target))]),
  'discover-kill': (stage, target) =>
    absent(stage, { client: clientNamed(target), what: 'docker-discover' }, async (client) => {
      await client.docker('kill', 'docker-discover');
      return async () => {
        await client.docker('start', 'docker-discover');
      };
    }),
  'discover-freeze': (stage, target) => frozen(clientOf(stage, clientNamed(target)), 'docker-discover'),
  'discover-hup': async (stage, target) => {
    await clientOf(stage, clientNamed(target)).docker('kill', '-s', 'HUP', 'docker-discover');
    return nothing;
  },
  'worker-kill': async (stage, target) => {
    const end = await absent(stage, { client: clientNamed(target), what: "HAProxy's worker" }, async (client) => {
      // A reload may take the worker's place between the two.
      await waitFor('a worker of HAProxy to be killed', async (seen) => {
        const status = JSON.parse(
          await client.docker('exec', 'docker-discover', 'docker-discover', 'ls', '--json'),
        ) as {
          readonly haproxy: { readonly workerPid: number | null };
        };
        const { workerPid } = seen(status.haproxy);
        if (workerPid === null) return false;
        await client.docker('exec', 'docker-discover', 'bash', '-c', `kill -KILL ${String(workerPid)}`);
        return true;
      });
      return nothing;
    });
    await end();
    return nothing;
  },
} satisfies Readonly<Record<string, Begin>>;

/** HAProxy of a client host is not there from the fault's begin until it is ready again. */
async function absent(
  stage: Stage,
  { client, what }: { readonly client: ClientName; readonly what: string },
  begin: (host: EngineHost) => Promise<() => Promise<void>>,
): Promise<() => Promise<void>> {
  const host = clientOf(stage, client);
  const absence = { client, what, fromMs: Date.now(), toMs: Infinity };
  stage.absences.push(absence);
  const end = await begin(host);
  return async () => {
    await end();
    await discoverReady({ ...stage.lab, client: host });
    const load = stage.loads.find((one) => one.client === client);
    await waitFor(`HAProxy of ${client} to tell of its pools`, () => load?.pool() !== null);
    absence.toMs = Date.now();
  };
}
