import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Range } from 'etcd3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import { examineRead, examineWatch, examineWrite } from '../../src/adapters/etcd/examine.js';
import { waitFor } from '../lab/wait-for.js';
import { startDaemon } from './support/daemon.js';
import { examine } from './support/doctor.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { closed, freePorts, listenOn } from './support/free-ports.js';
import { startSlowProxy } from './support/slow-proxy.js';

let dir: string;
let etcd: TestEtcd;
let env: Record<string, string>;
const signal = new AbortController().signal;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doctor-'));
  etcd = await startEtcd(['--quota-backend-bytes', String(2 ** 20)]);
  env = {
    HOST_IP: '127.0.0.1',
    ETCD_HOST: etcd.host,
    DOCKER_HOST: `unix://${dir}/docker.sock`,
    RUN_DIR: join(dir, 'run'),
  };
});
afterEach(async () => {
  await etcd.dispose();
  await rm(dir, { recursive: true, force: true });
});

const doctor = (more: Record<string, string> = {}) => examine('docker-register', { ...env, ...more });

/** Writes until etcd takes no more. */
async function fill(): Promise<void> {
  const isFull = (): Promise<boolean> =>
    etcd.client
      .put('/filler')
      .value('x'.repeat(100_000))
      .then(
        () => false,
        (error: unknown) => String(error).includes('database space exceeded'),
      );
  await waitFor('etcd to be full', isFull, { intervalMs: 0 });
}

describe('of etcd, docker-register doctor tells', () => {
  it('its figures, where it is well, without leaving a trace', async () => {
    await etcd.client.put('/backends/web/a').value('10.0.0.1:80');
    const { revision } = await etcd.registry.list(signal);
    const told = await doctor();
    expect(told.of(`etcd ${etcd.url}`)).toMatch(/^(ok|warning) etcd \S+: version 3\.\d+\.\d+, answers in [\d.]+ms/);
    expect(told.of('etcd read')).toBe('ok etcd read: 1 key below /backends/');
    expect(told.of('etcd write')).toMatch(/^(ok|warning) etcd write: allowed below \/backends\/, agreed in [\d.]+ms/);
    expect(told.of('clock')).toMatch(/^ok clock: within \ds of that of http/);
    expect((await etcd.registry.list(signal)).revision).toBe(revision);
  });

  it('that it is away', async () => {
    await etcd.kill();
    const told = await doctor();
    expect(told.of(`etcd ${etcd.url}`)).toMatch(/^failed .*ECONNREFUSED.* \| start etcd there/);
    expect(told.of('etcd write')).toMatch(/^failed /);
    expect(told.of('clock')).toMatch(/^not checked /);
  });

  it('that it is stopped, and does not wait for it', async () => {
    etcd.signal('SIGSTOP');
    try {
      expect((await doctor()).of(`etcd ${etcd.url}`)).toMatch(/^failed .*: no answer in time \| /);
    } finally {
      etcd.signal('SIGCONT');
    }
  });

  it('that one of two members is away', async () => {
    const [port = 0] = await freePorts(1);
    const told = await doctor({ ETCD_HOST: `127.0.0.1:${String(port)},${etcd.host}` });
    expect(told.of(`etcd http://127.0.0.1:${String(port)}`)).toMatch(/^warning .*ECONNREFUSED/);
    expect(told.of('etcd cluster')).toMatch(/^warning .*: only 1 of 2 members answer \| /);
    expect(told.of('etcd write')).toMatch(/^(ok|warning) etcd write: allowed/);
  });

  it('that the way to it is slow', async () => {
    const proxy = await startSlowProxy(etcd.host);
    proxy.setDelay(60, 0);
    try {
      const told = await doctor({ ETCD_HOST: proxy.address });
      expect(told.of(`etcd http://${proxy.address}`)).toMatch(
        /^warning .*answers in [1-9]\d\dms \(median of 5\) \| look at the network/,
      );
      expect(told.of('etcd write')).toMatch(/^warning .*agreed in [1-9]\d\dms \(median of 5\) \| look at the network/);
      proxy.setDelay(500, 0);
      expect((await doctor({ ETCD_HOST: proxy.address })).of('etcd write')).toMatch(
        /^warning .*agreed in \d{4}ms \(median of [12]\)/,
      );
    } finally {
      await proxy.close();
    }
  });

  it('that it is full', async () => {
    await fill();
    const told = await doctor();
    expect(told.of(`etcd ${etcd.url}`)).toMatch(/^failed .*is full.* \| etcdctl compact, defrag, alarm disarm/);
    expect(told.of('etcd write')).toMatch(/^failed .*database space exceeded.* \| etcdctl compact, defrag/);
    expect(told.of('etcd read')).toMatch(/^ok /);
  });

  it('that it wants a user', async () => {
    await withAuth(async () => {
      const told = await doctor();
      expect(told.of('etcd write')).toMatch(/^failed .* \| give ETCD_USER and ETCD_PASSWORD_FILE/);
      expect(told.of('etcd read')).toMatch(/^failed /);
    });
  });

  it('that the prefix can be read and not written', async () => {
    const reader = await etcd.client.user('reader').create('secret');
    const role = await etcd.client.role('reads').create();
    await role.grant({ permission: 'Read', range: Range.prefix('/backends/') });
    await reader.addRole(role);
    await withAuth(async () => {
      const user = { name: 'reader', password: 'secret' };
      const client = createEtcdClient({ hosts: [etcd.url], tls: null, user });
      try {
        expect(await examineRead(client, '/backends/', signal)).toMatchObject({ ok: true, value: 0 });
        expect(await examineWatch(client, '/backends/', signal)).toMatchObject({ ok: true });
        expect(await examineWrite(client, '/backends/', signal)).toMatchObject({ ok: false, code: 'denied' });
        expect(await examineRead(client, '/others/', signal)).toMatchObject({ ok: false, code: 'denied' });
        expect(await examineWatch(client, '/others/', signal)).toMatchObject({ ok: false, code: 'denied' });
      } finally {
        client.close();
      }
    });
  });
});

async function withAuth(work: () => Promise<void>): Promise<void> {
  const root = await etcd.client.user('root').create('secret');
  await root.addRole(await etcd.client.role('root').create());
  await etcd.client.auth.authEnable();
  await work();
}

/** An engine behind a proxy that forbids some paths, on the socket that DOCKER_HOST names. */
async function withEngine(forbidden: RegExp, work: () => Promise<void>): Promise<void> {
  const server: Server = createServer(({ url = '' }, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (forbidden.test(url)) response.writeHead(403).end('<html>\n<h1>403 Forbidden</h1>\n</html>');
    else if (url.startsWith('/version')) answer(200, { Version: '28.2.2', ApiVersion: '1.50' });
    else if (url.startsWith('/containers/json')) answer(200, []);
    else if (url.startsWith('/events')) response.writeHead(200).flushHeaders();
    else answer(404, { message: 'No such container' });
  });
  server.listen(join(dir, 'docker.sock'));
  await once(server, 'listening');
  try {
    await work();
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('of its own port, docker-register doctor tells', () => {
  it('that it is free, taken by another, or held by the daemon', async () => {
    const [port = 0] = await freePorts(1);
    env['METRICS_BIND'] = `127.0.0.1:${String(port)}`;
    expect((await doctor()).of('ports')).toMatch(/^ok ports: 1 free, 0 ours/);
    const other = await listenOn(port);
    // It hears, and never answers.
    other.on('connection', (socket) => socket.on('error', () => undefined).resume());
    expect((await doctor()).of('ports')).toMatch(/^failed ports: \S+ \(metrics\) is taken .* or set METRICS_BIND$/);
    await closed(other);
    const daemon = startDaemon('docker-register', [], env);
    try {
      await waitFor('the daemon to be there', async (seen) =>
        seen((await doctor()).of('ports')).startsWith('ok ports: 0 free, 1 ours'),
      );
      expect((await doctor()).of('docker-register')).toMatch(/^failed .*not registered all that runs yet/);
    } finally {
      daemon.signal('SIGTERM');
      await daemon.ended;
    }
  });
});

describe('of Docker, docker-register doctor tells', () => {
  it('that it is not there', async () => {
    const told = await doctor();
    expect(told.of('Docker')).toMatch(
      /^failed Docker: there is no such socket.* \| start Docker, and mount its socket/,
    );
    expect(told.of('Docker events')).toMatch(/^not checked /);
  });

  it('which endpoint a proxy before its socket forbids', async () => {
    await withEngine(/^\/(events|version)/, async () => {
      const told = await doctor();
      expect(told.of('Docker')).toMatch(/^not checked .*forbids/);
      expect(told.of('Docker list')).toMatch(/^ok .*: 0 containers listed/);
      expect(told.of('Docker inspect')).toMatch(/^ok /);
      expect(told.of('Docker events')).toMatch(
        /^failed .*: GET \/events is forbidden \(HTTP 403\) \| allow GET \/events/,
      );
    });
    await withEngine(/^\/containers/, async () => {
      const told = await doctor();
      expect(told.of('Docker')).toMatch(/^ok Docker: version 28\.2\.2, API 1\.50/);
      expect(told.of('Docker list')).toMatch(/^failed .*GET \/containers\/json is forbidden/);
      expect(told.of('Docker inspect')).toMatch(/^failed .*GET \/containers\/\{id\}\/json is forbidden/);
      expect(told.of('Docker events')).toMatch(/^ok /);
    });
  });
});
