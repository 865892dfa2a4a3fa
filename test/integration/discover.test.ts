import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import { closed, listenOn } from './support/free-ports.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const defaultTemplate = fileURLToPath(new URL('../../templates/haproxy.cfg.mustache', import.meta.url));
const stand = useStand();
let a: BackEnd;
let b: BackEnd;
let site: Site;
let statsPort: number;
let port: number;
let otherPort: number;

beforeEach(async () => {
  [a, b] = [await stand.backEnd('a'), await stand.backEnd('b')];
  site = await stand.site({ prefix: '/backends', answersWithinMs: 30_000 });
  ({ port, otherPort, statsPort } = site);
});

const statsPage = (): Promise<string> => site.get(statsPort);

describe('docker-discover', () => {
  it('has the stats page before etcd has answered, and while it is empty', async () => {
    site.start({ ETCD_HOST: '127.0.0.1:1' });
    await waitFor('the stats page', async () => (await statsPage()).includes('Statistics Report'));
    const { code, output } = await site.run('healthcheck');
    expect([code, output.trim()]).toEqual([
      1,
      'docker-discover: not ready: etcd has not answered yet, and there is no last known good state; the log tells why',
    ]);
    await site.stop();
    site.start();
    await waitFor('the stats page', async () => (await statsPage()).includes('Statistics Report'));
    await waitFor('etcd', async () => (await site.lsJson()).catalog === 'live');
    expect((await site.lsJson()).listeners).toEqual([]);
  });

  it('serves what stands in etcd, and follows it', async () => {
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    site.start();
    await site.answers(port, 'a');
    await site.put('web/b', `${b.address}?port=${String(port)}`);
    await site.answers(port, 'a', 'b');
    await site.put('web/a', `${a.address}?port=${String(port)}&state=drain`);
    await site.answers(port, 'b');
    await waitFor('the drain to be shown', async (seen) => {
      const { listeners } = seen(await site.lsJson());
      return listeners[0]?.endpoints.map(({ id, status }) => `${id} ${status}`).join() === 'a DRAIN,b UP';
    });
    await site.remove('web/a');
    await site.answers(port, 'b');
    expect((await site.lsJson()).listeners[0]?.endpoints).toHaveLength(1);
  });

  it('follows a hundred changes of endpoints with one worker, and the file on disk stays true', async () => {
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    site.start();
    await site.answers(port, 'a');
    await site.ready();
    const { workerPid, reloads } = (await site.lsJson()).haproxy;
    for (let n = 0; n < 25; n += 1) {
      await site.put('web/b', `${b.address}?port=${String(port)}`);
      await site.answers(port, 'a', 'b');
      await site.put('web/b', `${b.address}?port=${String(port)}&state=drain`);
      await site.answers(port, 'a');
      await site.put('web/b', `${b.address}?port=${String(port)}&weight=2`);
      await site.answers(port, 'a', 'b');
      await site.remove('web/b');
      await site.answers(port, 'a');
    }
    await waitFor('the last step', async (seen) => seen(await site.lsJson()).haproxy.runtimeChanges >= 100);
    expect((await site.lsJson()).haproxy).toMatchObject({ workerPid, reloads });
    const rendered = await site.run('render');
    expect(await readFile(join(site.runDir, 'haproxy.cfg'), 'utf8')).toBe(rendered.output);
  });

  it('gathers new listeners into few reloads, and endpoints do not wait for them', async () => {
    site.start({ RELOAD_INTERVAL: '1h' });
    // HAProxy starts with what etcd has by then, and a first reload after a start does not wait.
    await site.ready();
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    await site.answers(port, 'a');
    await site.reloadEnded(`web:${String(port)}`);
    const { reloads } = (await site.lsJson()).haproxy;
    await site.put('other/b', `${b.address.replace(/127.0.0.1/, '127.0.0.2')}?port=${String(otherPort)}`);
    await site.put('web/b', `${b.address}?port=${String(port)}`);
    await site.answers(port, 'a', 'b');
    expect((await site.lsJson()).haproxy.reloads).toBe(reloads);
    expect(await site.get(otherPort)).toBe('');
  });

  it('never mixes two services that claim one port, and tells which is left out', async () => {
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    site.start();
    await site.answers(port, 'a');
    await site.put('other/b', `${b.address}?port=${String(port)}`);
    await site.put('third/b', `127.0.0.1:9?port=${String(otherPort)}`);
    await waitFor('the third service', async () => (await site.lsJson()).listeners.length === 2);
    expect((await site.lsJson()).problems).toEqual([
      { key: `other:${String(port)}`, reason: `port ${String(port)} is held by service web` },
    ]);
    for (let n = 0; n < 10; n += 1) expect(await site.get(port)).toBe('a');
  });

  it('leaves out the one listener whose port another process has, and brings it when the port is free', async () => {
    const squatter = await listenOn(otherPort);
    try {
      await site.put('web/a', `${a.address}?port=${String(port)}`);
      await site.put('taken/b', `${b.address}?port=${String(otherPort)}`);
      site.start();
      await site.answers(port, 'a');
      const reason = `port ${String(otherPort)} is taken by another process`;
      expect((await site.lsJson()).problems).toEqual([{ key: `taken:${String(otherPort)}`, reason }]);
    } finally {
      await closed(squatter);
    }
    await site.answers(otherPort, 'b');
    expect((await site.lsJson()).problems).toEqual([]);
  });

  it('serves without the stats page while its port is taken', async () => {
    const squatter = await listenOn(statsPort);
    try {
      await site.put('web/a', `${a.address}?port=${String(port)}`);
      const started = site.start();
      await site.answers(port, 'a');
      expect(started.output()).toContain('is taken by another process; free it, or set STATS_BIND');
    } finally {
      await closed(squatter);
    }
    await waitFor('the stats page', async () => (await statsPage()).includes('Statistics Report'));
  });

  it('opens no reserved port', async () => {
    await site.put('evil/a', `${a.address}?port=${String(statsPort)}`);
    await site.put('evil/b', `${b.address}?port=22`);
    site.start();
    await waitFor('both to be refused', async (seen) => seen(await site.lsJson()).problems.length === 2);
    const { problems } = await site.lsJson();
    expect(new Map(problems.map(({ key, reason }) => [key, reason]))).toEqual(
      new Map([
        ['evil:22', 'port 22 is denied on this host (DENY_PORTS)'],
        [`evil:${String(statsPort)}`, `port ${String(statsPort)} is reserved for the stats page`],
      ]),
    );
    expect(await statsPage()).toContain('Statistics Report');
  });

  it('keeps a listener for a while after its last endpoint went, then closes it', async () => {
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    site.start({ LINGER: '2s' });
    await site.answers(port, 'a');
    await site.remove('web/a');
    await waitFor('the endpoint to go', async (seen) => seen((await site.ls()).listeners)[0]?.endpoints.length === 0);
    await waitFor('the listener to go', async (seen) => seen((await site.ls()).listeners).length === 0);
  });

  it('serves the last known good state at once when it starts while etcd is down', async () => {
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    site.start();
    await site.answers(port, 'a');
    // A worker answers before its reload is over, and until then HAProxy has not taken what it serves.
    const saved = (): Promise<string> => readFile(join(site.dir, 'state', 'last-known-good.json'), 'utf8');
    await waitFor('the state to be saved', async (seen) =>
      seen(await saved().catch(String)).includes('/backends/web/a'),
    );
    expect(await site.stop()).toBe(0);
    await stand.etcd.kill();
    try {
      site.start();
      await site.answers(port, 'a');
      expect((await site.lsJson()).catalog).toBe('last known good');
      expect(await site.stop()).toBe(0);
    } finally {
      await stand.etcd.start();
    }
  });

  it('rejects what breaks the grammar alone', async () => {
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    await site.put('bad name/x', '10.0.0.1:80');
    await site.put('web/no-host', ':80');
    await site.put('web/too/deep', '10.0.0.1:80');
    site.start();
    await site.answers(port, 'a');
    expect((await site.lsJson()).problems.map(({ key }) => key)).toEqual([
      '/backends/bad name/x',
      '/backends/web/no-host',
      '/backends/web/too/deep',
    ]);
  });
});

describe('SIGHUP', () => {
  it('reads the template anew and reloads', async () => {
    const template = join(site.dir, 'template');
    await copyFile(defaultTemplate, template);
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    site.start({ TEMPLATE: template });
    await site.answers(port, 'a');
    await appendFile(template, '\n# changed\n');
    site.hangUp();
    await waitFor('the reload', async (seen) => seen(await site.lsJson()).haproxy.lastReload?.what === 'SIGHUP');
    expect(await readFile(join(site.runDir, 'haproxy.cfg'), 'utf8')).toContain('# changed');
  });

  it('with a template that HAProxy refuses keeps the last good one, and endpoints keep following', async () => {
    const template = join(site.dir, 'template');
    await copyFile(defaultTemplate, template);
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    site.start({ TEMPLATE: template });
    await site.answers(port, 'a');
    await writeFile(template, 'nonsense\n');
    site.hangUp();
    await waitFor('the refusal', async (seen) => (seen(await site.lsJson()).fault ?? '').includes('nonsense'));
    await site.put('web/b', `${b.address}?port=${String(port)}`);
    await site.answers(port, 'a', 'b');
  });
});

describe('render', () => {
  it('prints the configuration for what stands in etcd, and touches nothing', async () => {
    await site.put('web/a', `${a.address}?port=${String(port)}`);
    await site.put('bad name/x', '10.0.0.1:80');
    const { code, output } = await site.run('render');
    expect(code).toBe(0);
    expect(output).toContain(`listen web:${String(port)}\n    bind 127.0.0.1:${String(port)}\n`);
    expect(output).toContain(`server a ${a.address} weight 1 check`);
    expect(output).toContain('not served: "/backends/bad name/x"');
    await expect(readFile(join(site.runDir, 'haproxy.cfg'))).rejects.toThrow('ENOENT');
  });

  it('--check has HAProxy look at it, and model prints what a template gets', async () => {
    await site.put('web/a', `${a.address}?port=${String(port)}&region=eu`);
    expect(await site.run('render', '--check')).toEqual({ code: 0, output: 'HAProxy takes it, with 1 listener\n' });
    const model = await site.run('model');
    expect(JSON.parse(model.output)).toMatchObject({
      stats: { bind: `127.0.0.1:${String(statsPort)}`, auth: null },
      listeners: [
        {
          service: 'web',
          port,
          mode: 'tcp',
          servers: [{ name: 'a', address: a.address, attributes: { region: 'eu' } }],
        },
      ],
    });
    const template = join(site.dir, 'template');
    await writeFile(template, 'listen {{#listeners}}{{name}}{{/listeners}}\n  frobnicate\n');
    const refused = await site.run('render', '--check', '--template', template);
    expect(refused.code).toBe(2);
    expect(refused.output).toMatch(/is refused by HAProxy: .*unknown keyword 'frobnicate' in 'listen' section/);
  });
});

it('asks for the password of the stats page where one is set', async () => {
  site.start({ STATS_AUTH: 'admin:s3cret#word' });
  const url = `http://127.0.0.1:${String(statsPort)}`;
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(url + path, { headers })).status;
  await waitFor('the stats page', async (seen) => seen(await status('/')) === 401);
  expect(await status('/metrics')).toBe(401);
  const authorization = `Basic ${Buffer.from('admin:s3cret#word').toString('base64')}`;
  expect(await status('/', { authorization })).toBe(200);
  expect(await status('/metrics', { authorization })).toBe(200);
  expect(site.output()).not.toContain('s3cret');
});

describe('many changes at once', () => {
  it('are few batches: 200 endpoints that come and go cost no reload, and a handful of rounds', async () => {
    await site.put('web/a', `127.0.0.1:${String(a.port)}?port=${String(port)}`);
    const running = site.start();
    await site.answers(port, 'a');
    await site.ready();
    const { workerPid, reloads } = (await site.lsJson()).haproxy;
    const { registry } = stand.etcd;
    const keys = Array.from({ length: 200 }, (_, n) => `/backends/web/more-${String(n)}`);
    const puts = keys.map((key, n) => ({ key, value: `127.0.1.${String(n)}:1?port=${String(port)}` }));
    const endpoints = async (): Promise<number> => (await site.lsJson()).listeners[0]?.endpoints.length ?? 0;
    const batches = (): number => running.output().split('HAProxy changed').length - 1;
    const before = batches();
    // In forty transactions, at about the same time.
    const few = Array.from({ length: 40 }, (_, n) => [5 * n, 5 * n + 5] as const);
    const within = AbortSignal.timeout(30_000);
    await Promise.all(
      few.map(([from, to]) => registry.apply({ puts: puts.slice(from, to), deletes: [] }, '0', within)),
    );
    await waitFor('all to be there', async (seen) => seen(await endpoints()) === 201);
    expect(batches() - before).toBeLessThanOrEqual(10);
    await Promise.all(
      few.map(([from, to]) => registry.apply({ puts: [], deletes: keys.slice(from, to) }, '0', within)),
    );
    await waitFor('all to be gone', async (seen) => seen(await endpoints()) === 1);
    expect(batches() - before).toBeLessThanOrEqual(20);
    await site.answers(port, 'a');
    expect((await site.lsJson()).haproxy).toMatchObject({ workerPid, reloads });
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
    await site.put('talk/t', `127.0.0.1:${String(talker)}?port=${String(port)}`);
    const running = site.start({ RELOAD_INTERVAL: '0s', HARD_STOP_AFTER: '10s' });
    const sockets: Socket[] = [];
    const hold = async (): Promise<void> => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'data');
    };
    /** Master and workers. */
    const processes = async (): Promise<number> => (await site.processes()).length;
    try {
      await waitFor('the service', async () => (await site.lsJson()).listeners.length === 1 && (await hold(), true));
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
      await waitFor('the old workers to end', async (seen) => seen(await processes()) === 2, { timeoutMs: 60_000 });
      await hold();
      expect(sockets.at(-1)?.destroyed).toBe(false);
    } finally {
      for (const socket of sockets) socket.destroy();
      talking.close();
    }
  });
});
