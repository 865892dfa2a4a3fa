import { setTimeout as sleep } from 'node:timers/promises';
import { startDiscover, startRegister } from '../test/e2e/support/pair.js';
import type { EngineHost, Lab } from '../test/lab/lab.js';
import { waitFor } from '../test/lab/wait-for.js';
import { costOf, type Cost } from './cost.js';
import { publish } from './report.js';
import { loadService, startRange } from './service.js';

const seconds = 60;
const first = 20_000;
const perService = 10;
/** Containers beside those endpoints, which docker-register has to look after. */
const containers = 10;

interface Part {
  readonly what: string;
  readonly host: EngineHost;
  readonly container: string;
  readonly commandLine: RegExp;
}

/** What the pair costs while nothing happens. */
export async function idle(lab: Lab): Promise<void> {
  const { client } = lab;
  const [backend] = lab.backends;
  await loadService([backend], ['web']);
  await startRange(backend, { first, count: 1_000 });
  for (let n = 0; n < containers; n += 1) await backend.docker('run', '-d', '-p', ':8000', 'whoami');
  await startRegister(lab, backend);
  await startDiscover(lab);
  const parts: readonly Part[] = [
    {
      what: 'docker-register',
      host: backend,
      container: 'docker-register',
      commandLine: /^(\S+\/)?node .*docker-register/,
    },
    {
      what: 'docker-discover',
      host: client,
      container: 'docker-discover',
      commandLine: /^(\S+\/)?node .*docker-discover/,
    },
    { what: 'HAProxy', host: client, container: 'docker-discover', commandLine: /haproxy -/ },
  ];
  const rows = [];
  const samples = [];
  for (const endpoints of [10, 1_000]) {
    // The containers' own listener has ten.
    await fill(lab, endpoints - containers);
    // HAProxy is asked, not docker-discover, whose memory is to be measured.
    await waitFor(
      `${String(endpoints)} endpoints to be up`,
      async (seen) => {
        const { stdout } = await client.run(`curl -sS 'http://${client.ip}:1936/;csv'`);
        return (
          seen(
            stdout
              .split('\n')
              .filter((line) => /^(idle-|whoami:)/.test(line) && /,UP,/.test(line) && !/,BACKEND,/.test(line)).length,
          ) === endpoints
        );
      },
      { timeoutMs: 60_000, intervalMs: 1_000 },
    );
    const before = await look(lab, parts);
    await sleep(seconds * 1_000);
    const after = await look(lab, parts);
    samples.push({ endpoints, before, after });
    const perMinute = ((after.requests - before.requests) * 60) / seconds;
    for (const [at, { what }] of parts.entries()) {
      const [start, end] = [before.costs[at], after.costs[at]];
      if (start === undefined || end === undefined) throw new Error(`nothing is known of ${what}`);
      rows.push({
        what: `${what}, ${String(endpoints)} endpoints`,
        figures: {
          'CPU, % of a core': (end.cpuMs - start.cpuMs) / (seconds * 10),
          'resident MiB': end.mib,
          ...(what === 'docker-discover' && { 'etcd requests/min, both hosts': perMinute }),
        },
      });
    }
  }
  await publish({
    name: 'idle',
    title: `what the pair costs while nothing happens, over ${String(seconds)} s`,
    unit: 'per row',
    rows,
    remarks: [
      'targets: 0.5 % of a core each, 90 MiB each of the two daemons',
      `one back-end host with ${String(containers)} containers and docker-register, one client host; HAProxy: master and worker together`,
      'the HEALTHCHECKs of the images, a short-lived process every 10 s each, are not in it',
    ],
    samples,
  });
}

/** Registers endpoints by hand, in services of ten. */
async function fill({ etcd, backends }: Lab, count: number): Promise<void> {
  const [{ ip }] = backends;
  const puts = Array.from({ length: count }, (_, n) => {
    const service = Math.floor(n / perService);
    return `put /backends/idle-${String(service)}/${String(n)} "${ip}:${String(first + n)}?port=${String(10_000 + service)}"`;
  });
  // A transaction of etcdctl: no condition, the puts, nothing otherwise; 100 at once.
  for (let at = 0; at < puts.length; at += 100)
    await etcd.run('etcdctl txn', { input: `\n${puts.slice(at, at + 100).join('\n')}\n\n\n` });
}

interface Look {
  readonly costs: readonly Cost[];
  /** gRPC messages that etcd has received so far. */
  readonly requests: number;
}

async function look({ etcd }: Lab, parts: readonly Part[]): Promise<Look> {
  const costs = [];
  for (const { host, container, commandLine } of parts) costs.push(await costOf(host, container, commandLine));
  const { stdout } = await etcd.run(`curl -sS http://${etcd.ip}:2379/metrics`);
  const received = [...stdout.matchAll(/^grpc_server_msg_received_total\{.*\} (\S+)$/gm)];
  if (received.length === 0) throw new Error('etcd tells no figure of its requests');
  return { costs, requests: received.reduce((sum, [, value]) => sum + Number(value), 0) };
}
