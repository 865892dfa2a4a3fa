import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEtcdCluster, type ClusterMember, type EtcdCluster } from '../lab/etcd-cluster.js';
import { haproxyPath } from '../lab/haproxy.js';
import { startLab, type EngineHost, type Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { examine } from './support/doctor.js';
import { startDaemon, type Daemon } from './support/daemon.js';
import { freePorts } from './support/free-ports.js';
import { startSlowProxy, type SlowProxy } from './support/slow-proxy.js';

/** The promise: so long after the fault of one member both daemons go on, at most. */
const found = { timeoutMs: 10_000, intervalMs: 50 };

let lab: Lab;
let host: EngineHost;
let cluster: EtcdCluster;
let proxies: readonly SlowProxy[];
let dir: string;
let register: Daemon;
let discover: Daemon;
let lease: string;
let webPort: number;
let puts = 0;

beforeAll(async () => {
  const binary = await haproxyPath(console.log);
  lab = await startLab({ log: console.log });
  host = lab.backends[0];
  cluster = await startEtcdCluster();
  proxies = await Promise.all(cluster.members.map(({ address }) => startSlowProxy(address)));
  dir = await mkdtemp(join(tmpdir(), 'cluster-'));
  const [statsPort = 0, freePort = 0] = await freePorts(2);
  // Not one that a docker-discover of another test may have: this one does not look again whether it is free.
  webPort = freePort;
  await startRegister('9s');
  discover = startDaemon('docker-discover', [], {
    ETCD_HOST: proxies.map(({ address }) => address).join(),
    HAPROXY: binary,
    RUN_DIR: join(dir, 'run'),
    STATE_DIR: join(dir, 'state'),
    BIND: '127.0.0.1',
    STATS_BIND: `127.0.0.1:${String(statsPort)}`,
    METRICS_BIND: 'none',
    // Too late to help: the watch alone must find everything.
    POLL: '1h',
    STOP_TIMEOUT: '2s',
  });
  await waitFor('docker-discover to follow', () => serves(`${host.ip}:`));
}, 900_000);

afterAll(async () => {
  for (const daemon of [register, discover]) daemon.signal('SIGTERM');
  await Promise.all([register.ended, discover.ended]);
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await cluster.stop();
  await lab.stop();
  await rm(dir, { recursive: true, force: true });
});

async function startRegister(ttl: string): Promise<void> {
  register = startDaemon('docker-register', [], {
    ETCD_HOST: proxies.map(({ address }) => address).join(),
    HOST_IP: host.ip,
    DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
    RUN_DIR: join(dir, 'register'),
    TTL: ttl,
  });
  const id = await run();
  lease = await waitFor('the registration', async () => (await leaseOf(id, first())) ?? '');
}

function first(): ClusterMember {
  const [member] = cluster.members;
  if (member === undefined) throw new RangeError('no member');
  return member;
}

function otherThan(...bad: readonly ClusterMember[]): ClusterMember {
  const member = cluster.members.find((one) => !bad.includes(one));
  if (member === undefined) throw new RangeError('no other member');
  return member;
}

async function run(): Promise<string> {
  return (await host.docker('run', '-d', '-p', ':8000', 'whoami')).slice(0, 12);
}

async function etcdctl(member: ClusterMember, args: string): Promise<string> {
  // A member asks the frozen leader about a lease for seven seconds, and etcdctl waits with it, whatever it is told. By then that leader
  // holds the lease for expired, and may revoke it when it thaws.
  return (await member.run(`timeout 2 etcdctl --command-timeout 2s ${args}`)).stdout;
}

/** The lease of a container's key. */
async function leaseOf(id: string, member: ClusterMember): Promise<string | undefined> {
  return /"lease":(\d+)/.exec(await etcdctl(member, `get /backends/whoami/${id} -w json`))?.[1];
}

async function serves(address: string): Promise<boolean> {
  return (await readFile(join(dir, 'run/haproxy.cfg'), 'utf8')).includes(` ${address}`);
}

/** @param good asked anew at each try: the member may go while it is tried */
async function putByHand(good: () => ClusterMember): Promise<string> {
  puts += 1;
  const address = `10.0.${String(puts >> 8)}.${String(puts & 255)}:80`;
  const put = `put /backends/web/${String(puts)} '${address}?port=${String(webPort)}'`;
  await waitFor('etcd to take the key', () => etcdctl(good(), put), found);
  return address;
}

/** Both daemons go on while a member is bad: docker-discover hears of a key, docker-register writes one and keeps its lease alive. */
async function goOn(good: ClusterMember, within = found): Promise<void> {
  const since = performance.now();
  const times: Record<string, number> = {};
  const timed = async (what: string, task: Promise<unknown>): Promise<void> => {
    await task;
    times[what] = Math.round(performance.now() - since);
  };
  await Promise.all([
    timed(
      'discover',
      putByHand(() => good).then((address) => waitFor('docker-discover to follow', () => serves(address), within)),
    ),
    timed(
      'register',
      run().then((id) =>
        waitFor('docker-register to register', async () => (await leaseOf(id, good)) === lease, within),
      ),
    ),
    timed('lease', renewed(good, within)),
  ]);
  console.log(`milliseconds until it goes on: ${JSON.stringify(times)}`);
  expect(register.output()).not.toContain('lease lost');
}

/** A keep-alive is answered: the remaining time grows. */
async function renewed(good: ClusterMember, within: typeof found): Promise<void> {
  let before = Infinity;
  await waitFor(
    'a keep-alive',
    async (seen) => {
      const answer = await etcdctl(good, `lease timetolive ${BigInt(lease).toString(16)} -w json`);
      const { ttl } = JSON.parse(answer) as { ttl: number };
      const grown = seen(ttl) > before;
      before = ttl;
      return grown;
    },
    { ...within, intervalMs: 200 },
  );
}

async function leader(): Promise<ClusterMember> {
  return waitFor('a leader', () => cluster.leader());
}

/** The member that docker-discover's watch is on: there is no other watch. */
async function watched(): Promise<ClusterMember> {
  return waitFor('the watch', async () => {
    for (const member of cluster.members) {
      const metrics = await (await fetch(`http://${member.address}/metrics`)).text();
      if (/^etcd_debugging_mvcc_watcher_total [1-9]/m.test(metrics)) return member;
    }
    return undefined;
  });
}

async function well(member: ClusterMember): Promise<void> {
  await waitFor(`${member.name} to answer`, async () => {
    await etcdctl(member, 'endpoint health');
    return true;
  });
}

describe('one member of three is bad:', () => {
  it('the leader is killed, and comes back', async () => {
    const bad = await leader();
    await bad.kill();
    try {
      await goOn(otherThan(bad));
    } finally {
      await bad.start();
    }
    await goOn(bad);
  });

  it.each([
    ['the leader', leader],
    ['that of the watch', watched],
  ])('%s is frozen: its connections stay, and nothing answers', async (_which, find) => {
    const bad = await find();
    await bad.pause();
    try {
      await goOn(otherThan(bad));
    } finally {
      await bad.resume();
    }
    await well(bad);
  });

  it.each([
    ['the leader', leader],
    ['that of the watch', watched],
  ])('%s is cut off from the others, and still answers its clients', async (_which, find) => {
    const bad = await find();
    await cluster.cut(bad);
    try {
      await goOn(otherThan(bad));
    } finally {
      await cluster.mend(bad);
    }
    await well(bad);
  });

  it('the one that is cut off is told of by doctor', async () => {
    const env = { ETCD_HOST: cluster.members.map(({ address }) => address).join(), HOST_IP: host.ip };
    const bad = await leader();
    await cluster.cut(bad);
    try {
      await waitFor('doctor to tell of it', async (seen) =>
        /^failed .* knows no leader \| bring back more than half/.test(
          seen((await examine('docker-register', env)).of(`etcd http://${bad.address}`)),
        ),
      );
      expect((await examine('docker-register', env)).of('etcd cluster')).toBe(
        'ok etcd cluster: 3 of 3 members answer, and know a leader',
      );
    } finally {
      await cluster.mend(bad);
    }
    await well(bad);
  });

  it('each in turn is restarted while keys come and go', async () => {
    const until = { done: false };
    const churn = async (): Promise<void> => {
      while (!until.done) await putByHand(() => otherThan(...cluster.members.filter((one) => !one.running())));
    };
    const restart = async (): Promise<void> => {
      for (const member of cluster.members) {
        await member.stop();
        await goOn(otherThan(member));
        await member.start();
      }
    };
    await Promise.all([churn(), restart().finally(() => (until.done = true))]);
    await goOn(first());
  });
});

describe('all members are slow:', () => {
  it('answers take half a second, and every fifth packet is lost', async () => {
    register.signal('SIGTERM');
    await register.ended;
    await startRegister('15s');
    for (const proxy of proxies) proxy.setDelay(250);
    await goOn(first(), { ...found, timeoutMs: 30_000 });
    for (const proxy of proxies) proxy.setDelay(0);
    await goOn(first());
  });
});
