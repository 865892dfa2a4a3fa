import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createEtcdClient, type EtcdClient } from '../../src/adapters/etcd/client.js';
import { examineMember } from '../../src/adapters/etcd/examine.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import { judgeMembers } from '../../src/core/doctor/etcd.js';
import { runCommand } from '../lab/command.js';
import { waitFor } from '../lab/wait-for.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { follow } from './support/following.js';
import { freePorts } from './support/free-ports.js';
import { createTestLog, type TestLog } from './support/log.js';

const signal = new AbortController().signal;
const learnerLine =
  'this member of etcd is a learner: it answers polls and nothing else; those beside it in ETCD_HOST are asked';
let etcd: TestEtcd;
let dir: string;
let learner: ChildProcess;
let url: string;
let client: EtcdClient;
let log: TestLog;

beforeAll(async () => {
  etcd = await startEtcd();
  dir = await mkdtemp(join(tmpdir(), 'etcd-learner-'));
  const [clientPort = 0, peerPort = 0] = await freePorts(2);
  url = `http://127.0.0.1:${String(clientPort)}`;
  const peer = `http://127.0.0.1:${String(peerPort)}`;
  const { stdout } = await etcdctl('member', 'add', 'learner', '--learner', '--peer-urls', peer);
  const cluster = /ETCD_INITIAL_CLUSTER="(.*)"/.exec(stdout)?.[1] ?? '';
  const args = ['--name', 'learner', '--data-dir', dir, '--listen-client-urls', url, '--advertise-client-urls', url];
  args.push('--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer);
  args.push('--initial-cluster', cluster, '--initial-cluster-state', 'existing');
  learner = spawn('etcd', args, { stdio: 'ignore' });
  const asking = createEtcdClient({ hosts: [url], tls: null });
  const registry = createRegistry({ client: asking, hosts: [url], keyspace: '/backends/' });
  try {
    await waitFor('the learner to answer', async () => (await registry.revision(signal)) > 0);
  } finally {
    asking.close();
  }
});
afterAll(async () => {
  const exited = once(learner, 'exit');
  learner.kill('SIGKILL');
  await exited;
  await etcd.dispose();
  await rm(dir, { recursive: true, force: true });
});
afterEach(() => {
  client.close();
});

function etcdctl(...args: string[]): Promise<{ stdout: string }> {
  return runCommand(['etcdctl', '--endpoints', etcd.url, ...args], { env: { ...process.env, ETCDCTL_API: '3' } });
}

function connect(...hosts: readonly string[]): ReturnType<typeof createRegistry> {
  log = createTestLog();
  client = createEtcdClient({ hosts, tls: null, log: log.log });
  return createRegistry({ client, hosts, keyspace: '/backends/' });
}

it('answers the polls that one member can answer, and refuses the rest by a reason that says what to do', async () => {
  const registry = connect(url);
  expect(await registry.revision(signal)).toBeGreaterThan(0);
  expect(await registry.countKeys(signal)).toBe(0);
  const mend = 'it is a learner (rpc not supported for learner); name a member that votes as well';
  await expect(registry.list(signal)).rejects.toThrow(mend);
  await expect(registry.fingerprint(signal)).rejects.toThrow(mend);
  await expect(registry.watch(1, () => undefined, signal)).rejects.toThrow(mend);
  await expect(registry.grantLease(5_000, signal)).rejects.toThrow(mend);
  await expect(registry.keepAlive('1', signal)).rejects.toThrow(mend);
});

it('costs who names it among others one line of the log', async () => {
  const registry = connect(url, etcd.url);
  // Which is asked first is a matter of luck: a poll that the learner alone answers puts it there.
  await waitFor('the learner to be first', async () => {
    if (client.current().host !== url) client.leave(client.current());
    await registry.revision(signal);
    return client.current().host === url;
  });
  const { source, standing, stop } = follow({ registry }, 200);
  try {
    await waitFor('the watch', () => source.isLive());
    const lease = await registry.grantLease(5_000, signal);
    await registry.apply({ puts: [{ key: '/backends/web/a', value: '10.0.0.1:80' }], deletes: [] }, lease, signal);
    await waitFor('the key', () => standing().includes('10.0.0.1:80'));
    expect(await registry.keepAlive(lease, signal)).toBe('alive');
  } finally {
    await stop();
  }
  expect(log.lines.map(({ msg, host }) => [msg, host])).toEqual([[learnerLine, url]]);
});

it('is told of by the doctor', async () => {
  connect(url, etcd.url);
  const findings = judgeMembers(await Promise.all(client.members.map(examineMember)));
  expect(findings.map(({ result }) => result)).toEqual(['warning', 'ok']);
});
