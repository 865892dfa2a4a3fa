import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DiscoverStatus } from '../../src/core/discover-status.js';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import { runDaemon, startDaemon, type Daemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { freePorts } from './support/free-ports.js';

const defaultTemplate = fileURLToPath(new URL('../../templates/haproxy.cfg.mustache', import.meta.url));
let etcd: TestEtcd;
let binary: string;
let backEnds: BackEnd[];
let dir: string;
let env: Record<string, string>;
let daemon: Daemon;
let port: number;
let otherPort: number;

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  etcd = await startEtcd();
  backEnds = [await startBackEnd('a'), await startBackEnd('b'), await startBackEnd('c')];
}, 600_000);
afterAll(async () => {
  await Promise.all(backEnds.map((backEnd) => backEnd.close()));
  await etcd.dispose();
});

/** A user's template that HAProxy takes for services without a check only. */
beforeEach(async () => {
  await etcd.client.delete().prefix('/backends');
  dir = await mkdtemp(join(tmpdir(), 'quarantine-'));
  const [statsPort = 0, free = 0, other = 0] = await freePorts(3);
  [port, otherPort] = [free, other];
  const template = join(dir, 'template');
  const text = await readFile(defaultTemplate, 'utf8');
  await writeFile(template, text.replace('    option httpchk\n', '    option frobchk\n'));
  env = {
    ETCD_HOST: etcd.host,
    HAPROXY: binary,
    TEMPLATE: template,
    RUN_DIR: join(dir, 'run'),
    STATE_DIR: join(dir, 'state'),
    BIND: '127.0.0.1',
    STATS_BIND: `127.0.0.1:${String(statsPort)}`,
    STOP_TIMEOUT: '1s',
  };
});
afterEach(async () => {
  daemon.signal('SIGTERM');
  await daemon.ended;
  await rm(dir, { recursive: true, force: true });
});

const put = async (key: string, backEnd: number, attributes: string): Promise<void> => {
  await etcd.client.put(`/backends/${key}`).value(`${backEnds[backEnd]?.address ?? ''}?${attributes}`);
};

async function ls(): Promise<DiscoverStatus> {
  const { output } = await runDaemon('docker-discover', ['ls', '--json'], env);
  return JSON.parse(output) as DiscoverStatus;
}

const answeredBy = (at: number, ...names: string[]): Promise<unknown> =>
  waitFor(`port ${String(at)} to be answered by ${names.join(' and ')}`, async (seen) => {
    const got = new Set<string>();
    for (let n = 0; n < 4; n += 1) got.add(await (await fetch(`http://127.0.0.1:${String(at)}/`)).text());
    return seen([...got].sort().join()) === names.join();
  });

const words = /^HAProxy refuses it.*: unknown option 'frobchk'\.$/;

it('a service that HAProxy refuses is left out with its words, also at the start, and all others are served and follow', async () => {
  await put('bad/c', 2, `port=${String(otherPort)}&check=/healthz`);
  await put('web/a', 0, `port=${String(port)}`);
  daemon = startDaemon('docker-discover', [], env);
  await answeredBy(port, 'a');
  await put('web/b', 1, `port=${String(port)}`);
  await answeredBy(port, 'a', 'b');
  const { problems, fault } = await ls();
  expect(fault).toBeNull();
  expect(problems).toEqual([{ key: `bad:${String(otherPort)}`, reason: expect.stringMatching(words) as string }]);
  // Without what HAProxy refuses it comes.
  await put('bad/c', 2, `port=${String(otherPort)}`);
  await answeredBy(otherPort, 'c');
  expect((await ls()).problems).toEqual([]);
});

it('a service that comes to ask for what HAProxy refuses goes on as it was, with the endpoints of now, over a crash too', async () => {
  await put('web/a', 0, `port=${String(port)}`);
  daemon = startDaemon('docker-discover', [], env);
  await answeredBy(port, 'a');
  await put('web/b', 1, `port=${String(port)}&check=/healthz`);
  await answeredBy(port, 'a', 'b');
  await waitFor('the reason', async (seen) => words.test(seen((await ls()).problems)[0]?.reason ?? ''));
  await etcd.client.delete().key('/backends/web/a');
  await answeredBy(port, 'b');
  // Another service comes by a reload, which the one in quarantine does not hinder.
  await put('other/c', 2, `port=${String(otherPort)}`);
  await answeredBy(otherPort, 'c');
  const pid = (await ls()).haproxy.workerPid;
  process.kill(pid ?? 0, 'SIGKILL');
  await waitFor('another worker', async (seen) => ![null, pid].includes(seen((await ls()).haproxy.workerPid)));
  await answeredBy(port, 'b');
  await answeredBy(otherPort, 'c');
});
