import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askStatus } from '../../src/adapters/control/client.js';
import type { DiscoverStatus } from '../../src/core/discover-status.js';
import { parseValue } from '../../src/core/keyspace.js';
import { haproxyPath } from '../lab/haproxy.js';
import { startLab, type EngineHost, type Host, type Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { accepted } from '../unit/support/parsed.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Of all that lies between Docker's word and the pool, as docs/scale.md has it. */
const toldWithinMs = 1_000;
/** What the machine may be late by when it does other things too. */
const slackMs = 1_500;

let lab: Lab;
let host: EngineHost;
let dir: string;
const daemons: ChildProcess[] = [];

/** A daemon of ours as its own process, on the network of a host. */
async function startOn(on: Host, name: string, env: Readonly<Record<string, string>>): Promise<void> {
  const command = [process.execPath, '--import', 'tsx', `src/cli/${name}.ts`];
  const child = spawn('nsenter', ['-t', String(on.pid), '-n', '--', ...command], {
    cwd: root,
    env: { PATH: process.env['PATH'], METRICS_BIND: 'none', ETCD_HOST: lab.etcd.ip, RUN_DIR: join(dir, name), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  daemons.push(child);
  await once(child.stdout, 'data');
  child.stdout.resume();
  child.stderr.resume();
}

beforeAll(async () => {
  const binary = await haproxyPath(console.log);
  dir = await mkdtemp(join(tmpdir(), 'kinds-'));
  lab = await startLab({ log: console.log });
  host = lab.backends[0];
  await host.run('docker build -q -t watched -', {
    input: [
      'FROM whoami',
      'LABEL SERVICE_NAME=whoami SERVICE_CHECK=/',
      'HEALTHCHECK --interval=2s --timeout=1s --retries=2 CMD ["/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8000/"]',
      '',
    ].join('\n'),
  });
  await startOn(host, 'docker-register', { HOST_IP: host.ip, DOCKER_HOST: `unix://${host.root}/run/docker.sock` });
  await startOn(lab.client, 'docker-discover', {
    HAPROXY: binary,
    STATE_DIR: join(dir, 'state'),
    CLIENT_HOSTS: '1000',
    POLL: '1s',
  });
}, 900_000);
afterAll(async () => {
  for (const daemon of daemons.reverse()) {
    daemon.kill('SIGTERM');
    if (daemon.exitCode === null) await once(daemon, 'close');
  }
  await host.run('docker ps -aq | xargs -r docker rm -f -v');
  await lab.stop();
  await rm(dir, { recursive: true });
});

const status = async (): Promise<DiscoverStatus> =>
  (await askStatus(join(dir, 'docker-discover', 'control.sock'))) as DiscoverStatus;

async function endpoints(): Promise<Record<string, string>> {
  const { listeners } = await status();
  const all = listeners.flatMap((listener) => listener.endpoints);
  return Object.fromEntries(all.map((one) => [one.id, `${one.status} ${one.check}`]));
}

async function startContainer(image: string, ...args: string[]): Promise<string> {
  return (await host.docker('run', '-d', '-p', '8000', ...args, image)).slice(0, 12);
}

async function valueOf(id: string): Promise<string> {
  return (await lab.etcd.run(`etcdctl get --print-value-only /backends/whoami/${id}`)).stdout.trim();
}

const isUp = (id: string, check: RegExp): Promise<unknown> =>
  waitFor(`${id} to be up`, async (seen) => new RegExp(`^UP ${check.source}`).test(seen(await endpoints())[id] ?? ''), {
    timeoutMs: 60_000,
  });

describe('a container with a HEALTHCHECK that asks what its HTTP check asks', () => {
  let first: string;

  it('is registered with the time within which Docker finds it unhealthy; of 1,000 client hosts each checks it by layer 4', async () => {
    first = await startContainer('watched');
    await isUp(first, /L4OK/);
    expect(await valueOf(first)).toMatch(/\?port=8000&check=\/&healthcheck=6s&at=/);
    const { checks, listeners } = await status();
    expect(checks).toMatchObject({ tcpMs: 10_000, httpMs: 30_000, clientHosts: 1_000, byDocker: ['whoami:8000'] });
    expect(listeners[0]?.check).toMatchObject({ kind: 'tcp', intervalMs: 10_000, frozenWithinMs: 7_000 });
  }, 120_000);

  it('is out within that time when its process is frozen, although connections are taken, and back afterwards', async () => {
    const second = await startContainer('watched');
    await isUp(second, /L4OK/);
    const withinMs = (accepted(parseValue(await valueOf(second))).healthcheckMs ?? 0) + toldWithinMs;
    const [before] = Object.values((await status()).haproxy.lastReload ?? {});
    // Of the first the server, not the shell that is its parent.
    const pid = await host.docker('inspect', '-f', '{{.State.Pid}}', first);
    const took: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await isUp(first, /L4OK/);
      await host.run(`pkill -STOP -P ${pid} busybox || pkill -STOP -P ${pid}`);
      const from = performance.now();
      await waitFor('the frozen one to be out', async (seen) => seen(await endpoints())[first] === undefined, {
        timeoutMs: 60_000,
        intervalMs: 20,
      });
      took.push(Math.round(performance.now() - from));
      await host.run(`pkill -CONT -P ${pid}`);
      await waitFor('it to be back', async (seen) => seen(await endpoints())[first] !== undefined, {
        timeoutMs: 60_000,
      });
    }
    console.log(`frozen containers were out after ${took.join(', ')} ms, of ${String(withinMs)}`);
    expect(Math.max(...took)).toBeLessThan(withinMs + slackMs);
    // Not by its check, which would have seen nothing, nor by a reload.
    expect((await status()).haproxy.lastReload?.what).toBe(before);
    expect((await endpoints())[second]).toMatch(/^UP/);
  }, 240_000);

  it('has its HTTP checks again when one comes beside it that has none, by one reload that says so', async () => {
    const { reloads } = (await status()).haproxy;
    const third = await startContainer('whoami', '-l', 'SERVICE_CHECK=/');
    expect(
      await waitFor(
        'the reload',
        async (seen) => {
          const { haproxy } = await status();
          return seen(haproxy.reloads) > reloads ? haproxy.lastReload?.what : null;
        },
        { timeoutMs: 60_000 },
      ),
    ).toBe(
      "checks of whoami:8000 over HTTP again, since Docker's HEALTHCHECK no longer looks after all endpoints as well",
    );
    await isUp(third, /L7OK/);
    const { checks, haproxy, listeners } = await status();
    expect([checks.byDocker, haproxy.reloads, listeners[0]?.check?.kind]).toEqual([[], reloads + 1, 'http']);
    // What is back takes its time: not with every container that comes and goes.
    await host.docker('rm', '-f', third);
    await waitFor('it to be gone', async (seen) => seen(await endpoints())[third] === undefined, { timeoutMs: 30_000 });
    expect((await status()).haproxy.reloads).toBe(reloads + 1);
  }, 180_000);
});
