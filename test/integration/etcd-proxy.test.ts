import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEtcdClient, type EtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import type { HeldEntry, Registry } from '../../src/ports/registry.js';
import { startEtcdCluster, type ClusterMember, type EtcdCluster } from '../lab/etcd-cluster.js';
import { startLab, type EngineHost, type Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { startDaemon, type Daemon } from './support/daemon.js';
import { startEtcdProxy, type EtcdProxy } from './support/etcd-proxy.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { follow, type Follower } from './support/following.js';
import { createTestLog, type TestLog } from './support/log.js';

const signal = new AbortController().signal;
/** As good as never: nothing but the watch tells. */
const never = 3_600_000;

let etcd: TestEtcd;
let proxy: EtcdProxy;

beforeEach(async () => {
  etcd = await startEtcd();
  proxy = await startEtcdProxy(etcd.url);
});
afterEach(async () => {
  await proxy.dispose();
  await etcd.dispose();
});

const put = async (id: string, address: string): Promise<void> => {
  await etcd.client.put(`/backends/web/${id}`).value(address);
};

type Following = Follower & { readonly client: EtcdClient; readonly log: TestLog; readonly listings: () => number };

function followBy(hosts: readonly string[], pollMs: number): Following {
  const log = createTestLog();
  let listings = 0;
  const client = createEtcdClient({ hosts, tls: null, log: log.log });
  const registry = createRegistry({ client, hosts, keyspace: '/backends/' });
  const counted: Registry = {
    ...registry,
    pages(until) {
      listings += 1;
      return registry.pages(until);
    },
  };
  const follower = follow({ registry: counted }, pollMs);
  return {
    ...follower,
    client,
    log,
    listings: () => listings,
    async stop() {
      await follower.stop();
      client.close();
    },
  };
}

/** How many questions for keys have reached it. */
async function rangesOf({ url }: TestEtcd): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^grpc_server_handled_total\{grpc_code="OK",grpc_method="Range".*\} (\S+)$/m.exec(metrics)?.[1] ?? '0');
}

describe('a client host behind a gRPC proxy of etcd', () => {
  let follower: Following;

  const begin = (hosts: readonly string[], pollMs: number): void => {
    follower = followBy(hosts, pollMs);
  };
  const stands = (...addresses: readonly string[]): Promise<unknown> =>
    waitFor(
      `${addresses.join()} and nothing else`,
      (seen) => seen(follower.standing().sort()).join() === addresses.join(),
    );
  const isLive = (live: boolean): Promise<unknown> =>
    waitFor(`a watch that is ${live ? 'live' : 'dead'}`, () => follower.source.isLive() === live, {
      timeoutMs: 10_000,
    });

  afterEach(async () => {
    proxy.signal('SIGCONT');
    etcd.signal('SIGCONT');
    await follower.stop();
  });

  it('lists once, keeps the watch, and says once that it is a proxy', async () => {
    await put('a', '10.0.0.1:80');
    begin([proxy.url], never);
    const since = performance.now();
    await stands('10.0.0.1:80');
    const before = await rangesOf(etcd);
    // A question in two seconds. The first and every fifth after it are two to etcd: for its revision, and, by the proxy, for the
    // right to the other watch. So this is four times as long as a watch may be silent.
    await waitFor('eleven questions', async (seen) => seen((await rangesOf(etcd)) - before) >= 5, {
      timeoutMs: 60_000,
    });
    expect(performance.now() - since).toBeGreaterThan(18_000);
    await put('b', '10.0.0.2:80');
    const putAt = performance.now();
    await stands('10.0.0.1:80', '10.0.0.2:80');
    expect(performance.now() - putAt).toBeLessThan(1_000);
    expect(follower.listings()).toBe(1);
    expect(follower.log.lines.map(({ msg, host }) => [msg, host])).toEqual([
      [expect.stringContaining('gRPC proxy'), proxy.url],
    ]);
  });

  it('does not believe a memory that is older than what the watch told: polls reach etcd', async () => {
    begin([proxy.url], never);
    await isLive(true);
    await put('a', '10.0.0.1:80');
    await stands('10.0.0.1:80');
    const registry = createRegistry({ client: follower.client, hosts: [proxy.url], keyspace: '/backends/' });
    const revision = await registry.revision(signal);
    expect(await registry.countKeys(signal)).toBe(1);
    await put('b', '10.0.0.2:80');
    expect(await registry.revision(signal)).toBe(revision + 1);
    expect(await registry.countKeys(signal)).toBe(2);
  });

  it('finds that the proxy is frozen, and follows again when it goes on', async () => {
    begin([proxy.url], never);
    await isLive(true);
    proxy.signal('SIGSTOP');
    await isLive(false);
    await put('a', '10.0.0.1:80');
    proxy.signal('SIGCONT');
    await stands('10.0.0.1:80');
  });

  it.each(['SIGSTOP', 'SIGKILL'] as const)('goes on through another address after a %s to the proxy', async (end) => {
    // Only the proxy answers at first, so that the watch is there.
    const second = await startEtcdProxy(etcd.url);
    await second.kill();
    try {
      begin([proxy.url, second.url], never);
      await isLive(true);
      await second.start();
      proxy.signal(end);
      await put('a', '10.0.0.1:80');
      await waitFor('the change', () => follower.standing().length === 1, { timeoutMs: 15_000 });
      await put('b', '10.0.0.2:80');
      await stands('10.0.0.1:80', '10.0.0.2:80');
    } finally {
      await second.dispose();
    }
  });

  it('finds that etcd behind the proxy is frozen, though the proxy answers from its memory', async () => {
    begin([proxy.url], never);
    await isLive(true);
    etcd.signal('SIGSTOP');
    await waitFor('the watch to be given up', () => !follower.source.isLive(), { timeoutMs: 20_000 });
    etcd.signal('SIGCONT');
    await put('a', '10.0.0.1:80');
    await waitFor('the change', () => follower.standing().length === 1, { timeoutMs: 20_000 });
  });

  it('follows an etcd behind the proxy that was restarted', async () => {
    await put('a', '10.0.0.1:80');
    begin([proxy.url], never);
    await stands('10.0.0.1:80');
    await etcd.kill();
    await etcd.start();
    await put('b', '10.0.0.2:80');
    await waitFor('the change', () => follower.standing().length === 2, { timeoutMs: 30_000 });
  });

  it('follows an etcd behind the proxy that has lost its data: the poll finds it', async () => {
    for (let n = 0; n < 20; n += 1) await put('a', `10.0.0.1:${String(100 + n)}`);
    begin([proxy.url], 1_000);
    await stands('10.0.0.1:119');
    await etcd.forget();
    await etcd.start();
    await put('b', '10.0.0.2:80');
    await waitFor('the new key alone', (seen) => seen(follower.standing()).join() === '10.0.0.2:80', {
      timeoutMs: 30_000,
    });
    await put('c', '10.0.0.3:80');
    await stands('10.0.0.2:80', '10.0.0.3:80');
  });
});

describe('a client host behind a gRPC proxy of three members of etcd', () => {
  let cluster: EtcdCluster;
  beforeAll(async () => {
    cluster = await startEtcdCluster();
  }, 300_000);
  afterAll(() => cluster.stop());

  const isBack = (member: ClusterMember): Promise<unknown> =>
    waitFor(
      `${member.name} to answer`,
      async () => (await member.run('etcdctl --command-timeout 2s endpoint health')).code === 0,
      { timeoutMs: 20_000 },
    );

  it('finds that the one to which the proxy listens is cut off from the others, though those answer', async () => {
    const own = await startEtcdProxy(cluster.members.map(({ address }) => `http://${address}`).join());
    const follower = followBy([own.url], never);
    let puts = 0;
    try {
      // Which one it is nobody tells.
      for (const member of [...cluster.members, ...cluster.members]) {
        await cluster.cut(member);
        const well = cluster.members.find((one) => one !== member);
        puts += 1;
        // There are as many keys as before.
        const value = `10.0.0.1:${String(puts)}`;
        await waitFor(
          'etcd to take the key',
          async () => (await well?.run(`etcdctl --command-timeout 2s put /backends/web/a ${value}`)) !== undefined,
          { timeoutMs: 20_000 },
        );
        await waitFor(`the change while ${member.name} is away`, () => follower.standing().includes(value), {
          timeoutMs: 40_000,
        });
        await cluster.mend(member);
        await isBack(member);
      }
    } finally {
      await follower.stop();
      await own.dispose();
    }
  }, 600_000);

  it('hears of changes while any one of them is frozen, though the proxy goes on asking that one by turns', async () => {
    const own = await startEtcdProxy(cluster.members.map(({ address }) => `http://${address}`).join());
    const follower = followBy([own.url], 5_000);
    let puts = 100;
    try {
      await waitFor('a watch', () => follower.source.isLive());
      for (const member of cluster.members) {
        await member.pause();
        const well = cluster.members.find((one) => one !== member);
        // The second and third can only be heard of by a watch, or a listing, that began after the member froze.
        for (let n = 0; n < 3; n += 1) {
          puts += 1;
          const value = `10.0.0.1:${String(puts)}`;
          await waitFor(
            'etcd to take the key',
            async () => (await well?.run(`timeout 2 etcdctl put /backends/web/a ${value}`))?.code === 0,
            { timeoutMs: 20_000 },
          );
          // As many keys as before: the watch that tells nothing is found by a question to etcd every 10 s, which has 5 s.
          await waitFor(`the change while ${member.name} is frozen`, () => follower.standing().includes(value), {
            timeoutMs: 40_000,
          });
        }
        await member.resume();
        await isBack(member);
      }
    } finally {
      await follower.stop();
      await own.dispose();
    }
  }, 600_000);
});

describe('a back-end host behind a gRPC proxy of etcd', () => {
  let lab: Lab;
  let host: EngineHost;
  let dir: string;
  let daemon: Daemon;

  beforeAll(async () => {
    lab = await startLab({ log: console.log });
    host = lab.backends[0];
  }, 900_000);
  afterAll(() => lab.stop());

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'reg-'));
    daemon = startDaemon('docker-register', [], {
      HOST_IP: host.ip,
      ETCD_HOST: proxy.url,
      DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
      RUN_DIR: dir,
      RESYNC: '1s',
      TTL: '3s',
    });
  });
  afterEach(async () => {
    proxy.signal('SIGCONT');
    daemon.signal('SIGTERM');
    await daemon.ended;
    await host.run('docker ps -aq | xargs -r docker rm -f -v');
    await rm(dir, { recursive: true, force: true });
  });

  const run = async (): Promise<string> => (await host.docker('run', '-d', '-p', ':8000', 'whoami')).slice(0, 12);
  const entryOf = async (id: string): Promise<HeldEntry | undefined> =>
    (await etcd.registry.list(signal)).entries.find(({ key }) => key === `/backends/whoami/${id}`);

  /** Keep-alives are answered: the remaining time of the lease grows. */
  const renewed = async (lease: string): Promise<void> => {
    let before = Infinity;
    let grown = 0;
    await waitFor('three keep-alives', async (seen) => {
      const { TTL } = await etcd.client.leaseClient.leaseTimeToLive({ ID: lease });
      if (Number(TTL) > before) grown += 1;
      before = Number(TTL);
      return seen(grown) >= 3;
    });
  };

  it('registers, keeps one lease alive, and withdraws', async () => {
    const id = await run();
    const { lease } = await waitFor('the key', () => entryOf(id));
    await renewed(lease);
    const second = await run();
    expect((await waitFor('the second key', () => entryOf(second))).lease).toBe(lease);
    await host.docker('rm', '-f', id);
    await waitFor('the key to go', async () => (await entryOf(id)) === undefined);
    expect(daemon.output()).not.toContain('lease lost');
  });

  it('registers anew when its lease was revoked', async () => {
    const id = await run();
    const { lease } = await waitFor('the key', () => entryOf(id));
    await etcd.client.leaseClient.leaseRevoke({ ID: lease });
    await waitFor('the key under another lease', async () => {
      const entry = await entryOf(id);
      return entry !== undefined && entry.lease !== lease;
    });
  });

  it('registers what began while the proxy was frozen', async () => {
    await waitFor('the lease', () => daemon.output().includes('lease granted'));
    proxy.signal('SIGSTOP');
    const id = await run();
    await waitFor('the failure', () => daemon.output().includes('keep-alive failed'), { timeoutMs: 20_000 });
    proxy.signal('SIGCONT');
    await renewed((await waitFor('the key', () => entryOf(id), { timeoutMs: 20_000 })).lease);
  });
});
