import { answeredBy, startDiscover, startRegister } from '../test/e2e/support/pair.js';
import type { Lab } from '../test/lab/lab.js';
import { waitFor } from '../test/lab/wait-for.js';
import { costOf } from './cost.js';
import { median, percentile } from './figures.js';
import { publish } from './report.js';
import { hostPortOf, loadService, startService } from './service.js';
import { load, type Load, type LoadSpec } from './wrk.js';

const rounds = 10;
const handWrittenPort = 8_100;
const ways = ['direct', 'hand-written', 'ours'] as const;
const kinds = ['keep-alive', 'close'] as const;

type Way = (typeof ways)[number];
type Kind = (typeof kinds)[number];

/** A round: what drifts in the meantime meets both proxies alike. */
const turn: readonly Way[] = ['direct', 'hand-written', 'ours', 'ours', 'hand-written'];

interface Run extends Load {
  readonly way: Way;
  /** CPU time of HAProxy, ms. */
  readonly cpuMs: number;
}

const containers: Readonly<Record<Way, string | null>> = {
  direct: null,
  'hand-written': 'hand-written',
  ours: 'docker-discover',
};

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
  // A connection per request leaves each for a minute in TIME_WAIT: with the kernel's own range they would run out.
  for (const host of [client, ...backends]) await host.run(`sysctl -qw net.ipv4.ip_local_port_range='20000 65000'`);
  await waitFor('the hand-written proxy', async () =>
    (await client.run(`curl -sS --max-time 2 ${client.ip}:${String(handWrittenPort)}`)).stdout.startsWith("I'm"),
  );

  const urls = {
    direct: `http://${addresses[0] ?? backend.ip}/`,
    'hand-written': `http://${client.ip}:${String(handWrittenPort)}/`,
    ours: `http://${client.ip}:8000/`,
  };
  const cpuMs = async (way: Way): Promise<number> => {
    const container = containers[way];
    return container === null ? 0 : (await costOf(client, container, /^haproxy /)).cpuMs;
  };
  const measure = async (way: Way, kind: LoadSpec['kind']): Promise<Run> => {
    const before = await cpuMs(way);
    const result = await load(client, { url: urls[way], seconds: 1, connections: 16, kind });
    return { way, ...result, cpuMs: (await cpuMs(way)) - before };
  };
  const samples: Record<Kind, (readonly Run[])[]> = { 'keep-alive': [], close: [] };
  for (const kind of kinds) {
    for (const way of turn) await measure(way, kind);
    for (let round = 0; round < rounds; round += 1) {
      const runs: Run[] = [];
      for (const way of turn) runs.push(await measure(way, kind));
      samples[kind].push(runs);
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
    `docker run -d --name hand-written --net host ${mount} --entrypoint haproxy docker-discover -W -db -f /hand-written.cfg`,
  );
}

/** Of the runs of one way: requests per second, CPU time of HAProxy per request in µs. */
function figuresOf(runs: readonly Run[], way: Way): { perSecond: number; cpuUs: number } {
  const own = runs.filter((run) => run.way === way);
  const sum = (figure: (run: Run) => number): number => own.reduce((total, run) => total + figure(run), 0);
  const requests = sum((run) => run.requests);
  return { perSecond: requests / sum((run) => run.seconds), cpuUs: (1_000 * sum((run) => run.cpuMs)) / requests };
}

async function tell(samples: Readonly<Record<Kind, readonly (readonly Run[])[]>>): Promise<void> {
  const rows = kinds.flatMap((kind) =>
    ways.map((way) => {
      const own = samples[kind].flat().filter((run) => run.way === way);
      const { cpuUs } = figuresOf(own, way);
      return {
        what: `${kind}, ${way}`,
        figures: {
          'requests/s': median(samples[kind].map((runs) => figuresOf(runs, way).perSecond)),
          ...(way === 'direct' ? {} : { 'CPU µs': cpuUs }),
          'p50 ms': median(own.map(({ p50 }) => p50)),
          'p99 ms': median(own.map(({ p99 }) => p99)),
          failed: own.reduce((total, { failures }) => total + failures, 0),
        },
      };
    }),
  );
  const shareOf = (kind: Kind): string => {
    const ratios = samples[kind].map(
      (runs) => figuresOf(runs, 'ours').perSecond / figuresOf(runs, 'hand-written').perSecond,
    );
    const percent = (share: number): string => (share * 100).toFixed(1);
    const all = samples[kind].flat();
    const cpu = figuresOf(all, 'ours').cpuUs / figuresOf(all, 'hand-written').cpuUs;
    const quartiles = `${percent(percentile(ratios, 0.25))} to ${percent(percentile(ratios, 0.75))}`;
    return `${kind}: ${percent(median(ratios))} % of the hand-written one's requests (target 97 %; middle half of ${String(rounds)} rounds: ${quartiles}), for ${percent(cpu)} % of its CPU time each`;
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
