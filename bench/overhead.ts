import { answeredBy, startDiscover, startRegister } from '../test/e2e/support/pair.js';
import type { Lab } from '../test/lab/lab.js';
import { waitFor } from '../test/lab/wait-for.js';
import { median } from './figures.js';
import { publish } from './report.js';
import { hostPortOf, loadService, startService } from './service.js';
import { load, type Load, type LoadSpec } from './wrk.js';

const rounds = 9;
const seconds = 3;
const handWrittenPort = 8_100;
const ways = ['direct', 'hand-written', 'ours'] as const;
const kinds = ['keep-alive', 'close'] as const;

type Sample = Readonly<Record<(typeof ways)[number], Load>>;

/** What a request costs more through our HAProxy than through one that is set up by hand with as little as works. */
export async function overhead(lab: Lab): Promise<void> {
  const { client, backends } = lab;
  const [backend] = backends;
  await loadService(backends, ['web']);
  const ids = await Promise.all(backends.map((host) => startService(host, { name: 'web', port: 8_000 })));
  const addresses = await Promise.all(
    backends.map(async (host, at) => `${host.ip}:${String(await hostPortOf(host, ids[at] ?? '', 8_000))}`),
  );
  for (const host of backends) await startRegister(lab, host);
  await startDiscover(lab);
  await answeredBy(lab, 8_000, ids);
  await startHandWritten(lab, addresses);
  await waitFor('the hand-written proxy', async () =>
    (await client.run(`curl -sS --max-time 2 ${client.ip}:${String(handWrittenPort)}`)).stdout.startsWith("I'm"),
  );

  const urls = {
    direct: `http://${addresses[0] ?? backend.ip}/`,
    'hand-written': `http://${client.ip}:${String(handWrittenPort)}/`,
    ours: `http://${client.ip}:8000/`,
  };
  const samples: Record<(typeof kinds)[number], Sample[]> = { 'keep-alive': [], close: [] };
  const measure = async (way: (typeof ways)[number], kind: LoadSpec['kind']): Promise<Load> =>
    load(client, { url: urls[way], seconds, connections: 16, kind });
  for (const kind of kinds) {
    for (const way of ways) await measure(way, kind);
    for (let round = 0; round < rounds; round += 1) {
      const results = new Map<string, Load>();
      // In another order each time, so that nobody always comes first.
      for (let turn = 0; turn < ways.length; turn += 1) {
        const way = ways[(turn + round) % ways.length] ?? 'ours';
        results.set(way, await measure(way, kind));
      }
      samples[kind].push(Object.fromEntries(results) as Sample);
    }
  }
  await tell(samples);
}

async function startHandWritten({ client }: Lab, addresses: readonly string[]): Promise<void> {
  const text = [
    'defaults',
    '    mode tcp',
    '    timeout connect 2s',
    '    timeout client 1m',
    '    timeout server 1m',
    'listen web',
    `    bind *:${String(handWrittenPort)}`,
    ...addresses.map((address, at) => `    server s${String(at)} ${address}`),
    '',
  ].join('\n');
  await client.run('cat >/run/lab/hand-written.cfg', { input: text });
  const mount = '-v /run/lab/hand-written.cfg:/hand-written.cfg:ro';
  await client.run(
    `docker run -d --net host ${mount} --entrypoint haproxy docker-discover -W -db -f /hand-written.cfg`,
  );
}

const perSecond = ({ requests, seconds: took }: Load): number => requests / took;

async function tell(samples: Readonly<Record<(typeof kinds)[number], readonly Sample[]>>): Promise<void> {
  const rows = kinds.flatMap((kind) =>
    ways.map((way) => {
      const own = samples[kind].map((sample) => sample[way]);
      return {
        what: `${kind}, ${way}`,
        figures: {
          'requests/s': median(own.map(perSecond)),
          'p50 ms': median(own.map(({ p50 }) => p50)),
          'p99 ms': median(own.map(({ p99 }) => p99)),
          failed: own.reduce((sum, { failures }) => sum + failures, 0),
        },
      };
    }),
  );
  const shareOf = (kind: (typeof kinds)[number]): string => {
    const ratio = median(samples[kind].map((sample) => perSecond(sample.ours) / perSecond(sample['hand-written'])));
    return `${kind}: ${(ratio * 100).toFixed(1)} % of the hand-written one, median of ${String(rounds)} rounds (target 97 %)`;
  };
  await publish({
    name: 'overhead',
    title: 'requests through our HAProxy and through one set up by hand, in alternation',
    unit: 'per row',
    rows,
    remarks: kinds.map(shareOf),
    samples,
  });
}
