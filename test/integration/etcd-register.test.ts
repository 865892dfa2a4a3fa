import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HeldEntry } from '../../src/ports/registry.js';
import { runCommand } from '../lab/command.js';
import { startLab, type EngineHost, type Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { startDaemon, type Daemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';

let lab: Lab;
let host: EngineHost;
let etcd: TestEtcd;
let dir: string;
let daemon: Daemon;
const signal = new AbortController().signal;

beforeAll(async () => {
  lab = await startLab({ log: console.log });
  host = lab.backends[0];
}, 900_000);
afterAll(() => lab.stop());

beforeEach(async () => {
  etcd = await startEtcd(['--quota-backend-bytes', String(2 ** 20)]);
  dir = await mkdtemp(join(tmpdir(), 'reg-'));
});
afterEach(async () => {
  daemon.signal('SIGTERM');
  await daemon.ended;
  await host.run('docker ps -aq | xargs -r docker rm -f -v');
  await etcd.dispose();
  await rm(dir, { recursive: true, force: true });
});

async function start(more: Record<string, string> = {}): Promise<void> {
  daemon = startDaemon('docker-register', [], {
    HOST_IP: host.ip,
    ETCD_HOST: etcd.host,
    DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
    RUN_DIR: dir,
    LOG_FORMAT: 'json',
    TTL: '3s',
    ...more,
  });
  await logged('lease granted');
}

/** Lines of the log with this message. */
function lines(message: string): Record<string, string>[] {
  const all = daemon.output().split('\n').filter(Boolean);
  return all.map((line) => JSON.parse(line) as Record<string, string>).filter(({ msg }) => msg === message);
}

function logged(message: string): Promise<unknown> {
  return waitFor(`a line of the log: ${message}`, () => lines(message).length > 0);
}

async function run(): Promise<string> {
  return (await host.docker('run', '-d', '-p', ':8000', 'whoami')).slice(0, 12);
}

async function entryOf(id: string): Promise<HeldEntry | undefined> {
  return (await etcd.registry.list(signal)).entries.find(({ key }) => key === `/backends/whoami/${id}`);
}

function registered(id: string): Promise<HeldEntry> {
  return waitFor(`the key of ${id}`, () => entryOf(id));
}

function etcdctl(...args: string[]): Promise<{ stdout: string }> {
  return runCommand(['etcdctl', '--endpoints', etcd.url, ...args], { env: { ...process.env, ETCDCTL_API: '3' } });
}

/** Writes until etcd takes no more. */
async function fill(): Promise<void> {
  const value = 'x'.repeat(100_000);
  await waitFor(
    'etcd to be full',
    () =>
      etcd.client
        .put('/filler')
        .value(value)
        .then(
          () => false,
          (error: unknown) => String(error).includes('database space exceeded'),
        ),
    { intervalMs: 0 },
  );
}

/** What the alarm asks for: see "Space quota" in etcd's maintenance guide. */
async function makeSpace(): Promise<void> {
  const { revision } = await etcd.registry.list(signal);
  await etcdctl('compact', String(revision));
  await etcdctl('defrag');
  await etcdctl('alarm', 'disarm');
}

describe('a full etcd', () => {
  it('keeps what is registered and takes removals; one error tells the mend, and what is new comes when there is space', async () => {
    const [stays, goes] = [await run(), await run()];
    await start();
    const { lease } = await registered(stays);
    await registered(goes);
    await fill();
    const fresh = await run();
    await logged('failed; trying again until it works');
    await host.docker('kill', goes);
    await waitFor('the removal', async () => (await entryOf(goes)) === undefined);
    const until = performance.now() + 4_000;
    await waitFor('more than a TTL', () => performance.now() > until);
    expect(await entryOf(stays)).toMatchObject({ lease });
    expect(await entryOf(fresh)).toBeUndefined();

    await makeSpace();
    expect(await registered(fresh)).toMatchObject({ lease });
    const errors = lines('failed; trying again until it works');
    expect(errors.map(({ error }) => error)).toEqual([
      expect.stringContaining('mend it with etcdctl: compact, defrag, alarm disarm'),
    ]);
    await logged('works again');
  });
});

describe('an etcd that was away for longer than the TTL', () => {
  it('is given everything again within seconds, also when it lost its data', async () => {
    const [one, two] = [await run(), await run()];
    await start();
    await registered(one);
    await etcd.forget();
    await logged('etcd has not confirmed the lease for a TTL, and may have ended it');
    await etcd.start();
    const since = performance.now();
    await waitFor('both keys', async () => (await entryOf(one)) !== undefined && (await entryOf(two)) !== undefined, {
      timeoutMs: 5_000,
      intervalMs: 20,
    });
    console.log(`all is registered again ${(performance.now() - since).toFixed(0)} ms after etcd answers`);
  });

  it('is asked for nothing where it has given each lease its time again, but for what changed meanwhile', async () => {
    const [one, two] = [await run(), await run()];
    await start();
    const before = await registered(one);
    await registered(two);
    await etcd.kill();
    await logged('etcd has not confirmed the lease for a TTL, and may have ended it');
    await host.docker('kill', two);
    await etcd.start();
    await waitFor('the removal', async () => (await entryOf(two)) === undefined);
    await logged('keep-alive works again');
    expect(await entryOf(one)).toEqual(before);
  });
});

describe('a key that is put by hand', () => {
  it('without a lease, or under another, hangs on ours again after a resync', async () => {
    const id = await run();
    await start({ RESYNC: '1s' });
    const { value, lease } = await registered(id);
    for (const other of ['0', (await etcd.client.leaseClient.leaseGrant({ TTL: 10 })).ID]) {
      const { header } = await etcd.client.put(`/backends/whoami/${id}`).value(value).lease(other);
      await waitFor('the key to hang on our lease', async (seen) => {
        const entry = seen(await entryOf(id));
        return entry?.lease === lease && entry.modRevision > Number(header.revision);
      });
    }
  });
});

describe('while etcd is unreachable', () => {
  it('docker-register ends as soon as it is told to', async () => {
    await start();
    await etcd.kill();
    await logged('keep-alive failed; trying again every second');
    const since = performance.now();
    daemon.signal('SIGTERM');
    expect(await daemon.ended).toBe(0);
    console.log(`ended after ${(performance.now() - since).toFixed(0)} ms`);
  });
});
