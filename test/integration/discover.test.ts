import { appendFile, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DiscoverStatus } from '../../src/core/discover-status.js';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import { runDaemon, startDaemon, type Daemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { closed, freePorts, listenOn } from './support/free-ports.js';

const defaultTemplate = fileURLToPath(new URL('../../templates/haproxy.cfg.mustache', import.meta.url));
let etcd: TestEtcd;
let binary: string;
let a: BackEnd;
let b: BackEnd;
let dir: string;
let env: Record<string, string>;
let daemon: Daemon | null;
let statsPort: number;
let port: number;
let otherPort: number;

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  etcd = await startEtcd();
  a = await startBackEnd('a');
  b = await startBackEnd('b');
}, 600_000);
afterAll(async () => {
  await a.close();
  await b.close();
  await etcd.dispose();
});

beforeEach(async () => {
  await etcd.client.delete().prefix('/backends');
  dir = await mkdtemp(join(tmpdir(), 'disc-'));
  [statsPort = 0, port = 0, otherPort = 0] = await freePorts(3);
  daemon = null;
  env = {
    ETCD_HOST: etcd.host,
    HAPROXY: binary,
    RUN_DIR: join(dir, 'run'),
    STATE_DIR: join(dir, 'state'),
    BIND: '127.0.0.1',
    STATS_BIND: `127.0.0.1:${String(statsPort)}`,
    POLL: '500ms',
    STOP_TIMEOUT: '2s',
  };
});
afterEach(async () => {
  await stop();
  await rm(dir, { recursive: true, force: true });
});

async function stop(): Promise<number | null> {
  const running = daemon;
  daemon = null;
  running?.signal('SIGTERM');
  return (await running?.ended) ?? null;
}

function start(more: Record<string, string> = {}): Daemon {
  daemon = startDaemon('docker-discover', [], { ...env, ...more });
  return daemon;
}

const put = async (key: string, value: string): Promise<void> => {
  await etcd.client.put(`/backends/${key}`).value(value);
};

async function get(at: number): Promise<string> {
  try {
    const response = await fetch(`http://127.0.0.1:${String(at)}/`, { signal: AbortSignal.timeout(2_000) });
    return await response.text();
  } catch {
    return '';
  }
}

const answers = (at: number, ...names: string[]): Promise<unknown> =>
  waitFor(`port ${String(at)} to be answered by ${names.join(' and ')}`, async (seen) => {
    const got = new Set<string>();
    for (let n = 0; n < 4; n += 1) got.add(await get(at));
    return seen([...got].sort().join()) === names.join();
  });

async function ls(): Promise<DiscoverStatus> {
  const { code, output } = await runDaemon('docker-discover', ['ls', '--json'], env);
  expect(code).toBe(0);
  return JSON.parse(output) as DiscoverStatus;
}

const statsPage = (): Promise<string> => get(statsPort);

describe('docker-discover', () => {
  it('has the stats page before etcd has answered, and while it is empty', async () => {
    start({ ETCD_HOST: '127.0.0.1:1' });
    await waitFor('the stats page', async () => (await statsPage()).includes('Statistics Report'));
    expect((await runDaemon('docker-discover', ['healthcheck'], env)).code).toBe(0);
    await stop();
    start();
    await waitFor('the stats page', async () => (await statsPage()).includes('Statistics Report'));
    await waitFor('etcd', async () => (await ls()).catalog === 'live');
    expect((await ls()).listeners).toEqual([]);
  });

  it('serves what stands in etcd, and follows it', async () => {
    await put('web/a', `${a.address}?port=${String(port)}`);
    start();
    await answers(port, 'a');
    await put('web/b', `${b.address}?port=${String(port)}`);
    await answers(port, 'a', 'b');
    await put('web/a', `${a.address}?port=${String(port)}&state=drain`);
    await answers(port, 'b');
    await waitFor('the drain to be shown', async (seen) => {
      const { listeners } = seen(await ls());
      return listeners[0]?.endpoints.map(({ id, status }) => `${id} ${status}`).join() === 'a DRAIN,b UP';
    });
    await etcd.client.delete().key('/backends/web/a');
    await answers(port, 'b');
    expect((await ls()).listeners[0]?.endpoints).toHaveLength(1);
  });

  it('follows a hundred changes of endpoints with one worker, and the file on disk stays true', async () => {
    await put('web/a', `${a.address}?port=${String(port)}`);
    start();
    await answers(port, 'a');
    const { workerPid, reloads } = (await ls()).haproxy;
    for (let n = 0; n < 25; n += 1) {
      await put('web/b', `${b.address}?port=${String(port)}`);
      await answers(port, 'a', 'b');
      await put('web/b', `${b.address}?port=${String(port)}&state=drain`);
      await answers(port, 'a');
      await put('web/b', `${b.address}?port=${String(port)}&weight=2`);
      await answers(port, 'a', 'b');
      await etcd.client.delete().key('/backends/web/b');
      await answers(port, 'a');
    }
    await waitFor('the last step', async (seen) => seen(await ls()).haproxy.runtimeChanges >= 100);
    expect((await ls()).haproxy).toMatchObject({ workerPid, reloads });
    const rendered = await runDaemon('docker-discover', ['render'], env);
    expect(await readFile(join(dir, 'run', 'haproxy.cfg'), 'utf8')).toBe(rendered.output);
  });

  it('gathers new listeners into few reloads, and endpoints do not wait for them', async () => {
    await put('web/a', `${a.address}?port=${String(port)}`);
    start({ RELOAD_INTERVAL: '1h' });
    await answers(port, 'a');
    const { reloads } = (await ls()).haproxy;
    await put('other/b', `${b.address.replace(/127.0.0.1/, '127.0.0.2')}?port=${String(otherPort)}`);
    await put('web/b', `${b.address}?port=${String(port)}`);
    await answers(port, 'a', 'b');
    expect((await ls()).haproxy.reloads).toBe(reloads);
    expect(await get(otherPort)).toBe('');
  });

  it('never mixes two services that claim one port, and tells which is left out', async () => {
    await put('web/a', `${a.address}?port=${String(port)}`);
    start();
    await answers(port, 'a');
    await put('other/b', `${b.address}?port=${String(port)}`);
    await put('third/b', `127.0.0.1:9?port=${String(otherPort)}`);
    await waitFor('the third service', async () => (await ls()).listeners.length === 2);
    expect((await ls()).problems).toEqual([
      { key: `other:${String(port)}`, reason: `port ${String(port)} is held by service web` },
    ]);
    for (let n = 0; n < 10; n += 1) expect(await get(port)).toBe('a');
  });

  it('leaves out the one listener whose port another process has, and brings it when the port is free', async () => {
    const squatter = await listenOn(otherPort);
    try {
      await put('web/a', `${a.address}?port=${String(port)}`);
      await put('taken/b', `${b.address}?port=${String(otherPort)}`);
      start();
      await answers(port, 'a');
      const reason = `port ${String(otherPort)} is taken by another process`;
      expect((await ls()).problems).toEqual([{ key: `taken:${String(otherPort)}`, reason }]);
    } finally {
      await closed(squatter);
    }
    await answers(otherPort, 'b');
    expect((await ls()).problems).toEqual([]);
  });

  it('serves without the stats page while its port is taken', async () => {
    const squatter = await listenOn(statsPort);
    try {
      await put('web/a', `${a.address}?port=${String(port)}`);
      const started = start();
      await answers(port, 'a');
      expect(started.output()).toContain('is taken by another process; free it, or set STATS_BIND');
    } finally {
      await closed(squatter);
    }
    await waitFor('the stats page', async () => (await statsPage()).includes('Statistics Report'));
  });

  it('opens no reserved port', async () => {
    await put('evil/a', `${a.address}?port=${String(statsPort)}`);
    await put('evil/b', `${b.address}?port=22`);
    start();
    await waitFor('both to be refused', async (seen) => seen(await ls()).problems.length === 2);
    expect((await ls()).problems).toEqual([
      { key: 'evil:22', reason: 'port 22 is reserved' },
      { key: `evil:${String(statsPort)}`, reason: `port ${String(statsPort)} is reserved for the stats page` },
    ]);
    expect(await statsPage()).toContain('Statistics Report');
  });

  it('keeps a listener for a while after its last endpoint went, then closes it', async () => {
    await put('web/a', `${a.address}?port=${String(port)}`);
    start({ LINGER: '2s' });
    await answers(port, 'a');
    await etcd.client.delete().key('/backends/web/a');
    await waitFor('the endpoint to go', async (seen) => seen((await ls()).listeners)[0]?.endpoints.length === 0);
    await waitFor('the listener to go', async (seen) => seen((await ls()).listeners).length === 0);
  });

  it('serves the last known good state at once when it starts while etcd is down', async () => {
    await put('web/a', `${a.address}?port=${String(port)}`);
    start();
    await answers(port, 'a');
    expect(await stop()).toBe(0);
    await etcd.kill();
    try {
      start();
      await answers(port, 'a');
      expect((await ls()).catalog).toBe('last known good');
      expect(await stop()).toBe(0);
    } finally {
      await etcd.start();
    }
  });

  it('rejects what breaks the grammar alone', async () => {
    await put('web/a', `${a.address}?port=${String(port)}`);
    await put('bad name/x', '10.0.0.1:80');
    await put('web/no-host', ':80');
    await put('web/too/deep', '10.0.0.1:80');
    start();
    await answers(port, 'a');
    expect((await ls()).problems.map(({ key }) => key)).toEqual([
      '/backends/bad name/x',
      '/backends/web/no-host',
      '/backends/web/too/deep',
    ]);
  });
});

describe('SIGHUP', () => {
  it('reads the template anew and reloads', async () => {
    const template = join(dir, 'template');
    await copyFile(defaultTemplate, template);
    await put('web/a', `${a.address}?port=${String(port)}`);
    start({ TEMPLATE: template });
    await answers(port, 'a');
    await appendFile(template, '\n# changed\n');
    daemon?.signal('SIGHUP');
    await waitFor('the reload', async (seen) => seen(await ls()).haproxy.lastReload?.what === 'SIGHUP');
    expect(await readFile(join(dir, 'run', 'haproxy.cfg'), 'utf8')).toContain('# changed');
  });

  it('with a template that HAProxy refuses keeps the last good one, and endpoints keep following', async () => {
    const template = join(dir, 'template');
    await copyFile(defaultTemplate, template);
    await put('web/a', `${a.address}?port=${String(port)}`);
    start({ TEMPLATE: template });
    await answers(port, 'a');
    await writeFile(template, 'nonsense\n');
    daemon?.signal('SIGHUP');
    await waitFor('the refusal', async (seen) => (seen(await ls()).fault ?? '').includes('nonsense'));
    await put('web/b', `${b.address}?port=${String(port)}`);
    await answers(port, 'a', 'b');
  });
});

describe('render', () => {
  it('prints the configuration for what stands in etcd, and touches nothing', async () => {
    await put('web/a', `${a.address}?port=${String(port)}`);
    await put('bad name/x', '10.0.0.1:80');
    const { code, output } = await runDaemon('docker-discover', ['render'], env);
    expect(code).toBe(0);
    expect(output).toContain(`listen web:${String(port)}\n    bind 127.0.0.1:${String(port)}\n`);
    expect(output).toContain(`server a ${a.address} weight 1 check`);
    expect(output).toContain('not served: "/backends/bad name/x"');
    await expect(readFile(join(dir, 'run', 'haproxy.cfg'))).rejects.toThrow('ENOENT');
  });
});

it('asks for the password of the stats page where one is set', async () => {
  start({ STATS_AUTH: 'admin:s3cret#word' });
  const url = `http://127.0.0.1:${String(statsPort)}`;
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(url + path, { headers })).status;
  await waitFor('the stats page', async (seen) => seen(await status('/')) === 401);
  expect(await status('/metrics')).toBe(401);
  const authorization = `Basic ${Buffer.from('admin:s3cret#word').toString('base64')}`;
  expect(await status('/', { authorization })).toBe(200);
  expect(await status('/metrics', { authorization })).toBe(200);
  expect(daemon?.output()).not.toContain('s3cret');
});

describe('many changes at once', () => {
  it('are few batches: 200 endpoints that come and go cost no reload, and a handful of rounds', async () => {
    await put('web/a', `127.0.0.1:${String(a.port)}?port=${String(port)}`);
    const running = start();
    await answers(port, 'a');
    const { workerPid, reloads } = (await ls()).haproxy;
    const ids = Array.from({ length: 200 }, (_, n) => `more-${String(n)}`);
    const endpoints = async (): Promise<number> => (await ls()).listeners[0]?.endpoints.length ?? 0;
    const batches = (): number => running.output().split('HAProxy changed').length - 1;
    const before = batches();
    await Promise.all(ids.map((id, n) => put(`web/${id}`, `127.0.1.${String(n)}:1?port=${String(port)}`)));
    await waitFor('all to be there', async (seen) => seen(await endpoints()) === 201);
    expect(batches() - before).toBeLessThanOrEqual(10);
    await Promise.all(ids.map((id) => etcd.client.delete().key(`/backends/web/${id}`)));
    await waitFor('all to be gone', async (seen) => seen(await endpoints()) === 1);
    expect(batches() - before).toBeLessThanOrEqual(20);
    await answers(port, 'a');
    expect((await ls()).haproxy).toMatchObject({ workerPid, reloads });
  });
});

describe('reloads without end', () => {
  it('leave no process behind: 50 of them, each with a connection that stays, end by HARD_STOP_AFTER', async () => {
    const talking = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('hello');
    });
    talking.listen(0, '127.0.0.1');
    await once(talking, 'listening');
    const talker = (talking.address() as AddressInfo).port;
    await put('talk/t', `127.0.0.1:${String(talker)}?port=${String(port)}`);
    const running = start({ RELOAD_INTERVAL: '0s', HARD_STOP_AFTER: '5s' });
    const sockets: Socket[] = [];
    const hold = async (): Promise<void> => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'data');
    };
    /** Master and workers. */
    const processes = async (): Promise<number> => {
      const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
      return stdout
        .split('\n')
        .filter((line) => line.includes('haproxy') && line.includes(join(dir, 'run/haproxy.cfg'))).length;
    };
    try {
      await waitFor('the service', async () => (await ls()).listeners.length === 1 && (await hold(), true));
      const reloads = (): number => running.output().split('HAProxy reloaded').length - 1;
      let most = 0;
      for (let n = 0; n < 50; n += 1) {
        const before = reloads();
        running.signal('SIGHUP');
        await waitFor('the reload', () => reloads() > before, { intervalMs: 20 });
        await hold();
        most = Math.max(most, await processes());
      }
      // Otherwise the test would show nothing.
      expect(most).toBeGreaterThan(10);
      await waitFor('the old workers to end', async (seen) => seen(await processes()) === 2);
      await hold();
      expect(sockets.at(-1)?.destroyed).toBe(false);
    } finally {
      for (const socket of sockets) socket.destroy();
      talking.close();
    }
  });
});
