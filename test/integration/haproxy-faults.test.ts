import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { proxyPathsOf } from '../../src/adapters/haproxy/paths.js';
import { createProxy } from '../../src/adapters/haproxy/proxy.js';
import { messageOf } from '../../src/core/errors.js';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { closed, freePorts, listenOn } from './support/free-ports.js';
import { createTestLog } from './support/log.js';
import { builtInWith, writeTemplates } from './support/templates.js';
import { createSite, type Site } from './support/site.js';

const run = promisify(execFile);
const defaultTemplate = fileURLToPath(new URL('../../templates/haproxy.cfg.mustache', import.meta.url));
let etcd: TestEtcd;
let binary: string;
let a: BackEnd;
let b: BackEnd;
/** Says `hello`, then whatever it is told. */
let echo: Server;
let ports: number[];

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  etcd = await startEtcd();
  a = await startBackEnd('a');
  b = await startBackEnd('b');
  echo = createServer((socket) => {
    socket.on('error', () => undefined).write('hello');
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  ports = await freePorts(100);
}, 600_000);
afterAll(async () => {
  echo.close();
  await a.close();
  await b.close();
  await etcd.dispose();
});

/** Registers what is to be done when the test is over. Of the test's context, since the tests run side by side. */
type Cleanup = TestContext['onTestFinished'];
type Prepare = (site: Site) => Promise<Record<string, string>>;

/** With one service, `web`, which is answered by a. */
async function startSite(cleanup: Cleanup, more?: Prepare): Promise<Site> {
  const site = await createSite({ etcd, binary, ports: ports.splice(0, 4) });
  cleanup(() => site.dispose());
  await site.put('web/a', `${a.address}?port=${String(site.port)}`);
  site.start(await more?.(site));
  await site.answers(site.port, 'a');
  return site;
}

/** A connection through HAProxy that stays: the back end has said hello on it. */
async function hold(cleanup: Cleanup, port: number): Promise<Socket> {
  const socket = await waitFor('a connection', async () => {
    const trying = connect(port, '127.0.0.1');
    await once(trying, 'data');
    return trying;
  });
  cleanup(() => void socket.destroy());
  return socket.on('error', () => undefined);
}

/** With two services, and no reload under way: one that is cut short is another fault. */
async function startQuiet(cleanup: Cleanup): Promise<Site> {
  const site = await startSite(cleanup);
  await site.put('echo/e', `127.0.0.1:${String((echo.address() as AddressInfo).port)}?port=${String(site.otherPort)}`);
  await site.reloadEnded(`echo:${String(site.otherPort)}`);
  return site;
}

async function startHolding(cleanup: Cleanup): Promise<{ site: Site; held: Socket }> {
  const site = await startQuiet(cleanup);
  return { site, held: await hold(cleanup, site.otherPort) };
}

async function saysBack(socket: Socket): Promise<string> {
  socket.write('still there');
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString();
}

const replaced = (site: Site): Promise<unknown> =>
  waitFor('the replacement', (seen) => seen(site.output()).includes('HAProxy still does not answer; it is replaced'), {
    timeoutMs: 40_000,
  });

async function endpointsFollow(site: Site): Promise<void> {
  await site.put('web/b', `${b.address}?port=${String(site.port)}`);
  await site.answers(site.port, 'a', 'b');
  await site.remove('web/b');
  await site.answers(site.port, 'a');
}

describe('HAProxy', () => {
  test('whose worker is killed is back at once, with the same listeners', async ({ onTestFinished }) => {
    const site = await startQuiet(onTestFinished);
    const [master, worker] = [await site.master(), await site.worker()];
    process.kill(worker, 'SIGKILL');
    await waitFor('another worker', async () => (await site.worker()) !== worker);
    await site.answers(site.port, 'a');
    expect(await site.master()).not.toBe(master);
    expect(site.told('HAProxy exited')).toBe(1);
    expect(site.output()).not.toContain('not served');
  });

  test('whose master is killed is back at once, once, and with the same listeners', async ({ onTestFinished }) => {
    const site = await startQuiet(onTestFinished);
    const master = await site.master();
    process.kill(master, 'SIGKILL');
    await waitFor('another master', async () => (await site.master()) !== master);
    await site.answers(site.port, 'a');
    await endpointsFollow(site);
    expect(await site.processes()).toHaveLength(2);
    expect(site.output()).not.toContain('not served');
  });

  test('whose worker hangs, and whose master is killed then, frees its ports for the next', async ({
    onTestFinished,
  }) => {
    const site = await startQuiet(onTestFinished);
    const [master, worker] = [await site.master(), await site.worker()];
    process.kill(worker, 'SIGSTOP');
    process.kill(master, 'SIGKILL');
    await waitFor('another master', async () => (await site.master()) !== master);
    await site.answers(site.port, 'a');
    expect((await site.processes()).map(({ pid }) => pid)).not.toContain(worker);
    expect(site.output()).not.toContain('not served');
  });

  test('whose runtime socket was removed follows endpoints and listeners, and nothing is replaced', async ({
    onTestFinished,
  }) => {
    const site = await startQuiet(onTestFinished);
    const master = await site.master();
    await rm(join(site.runDir, 'haproxy.sock'));
    await endpointsFollow(site);
    await site.put('other/b', `${b.address}?port=${String(site.thirdPort)}`);
    await site.answers(site.thirdPort, 'b');
    await endpointsFollow(site);
    for (const { endpoints } of (await site.ls()).listeners) expect(endpoints[0]?.status).toMatch(/^UP/);
    expect(await site.master()).toBe(master);
  });
});

/** HAProxy, but each that serves is killed after a moment, as long as `trouble` exists; `starts` has a line for each. */
async function crashing({ dir }: Site): Promise<Record<string, string>> {
  const [path, trouble, starts] = [join(dir, 'haproxy'), join(dir, 'trouble'), join(dir, 'starts')];
  const script = `#!/bin/bash
if [[ "$*" != *-W* || ! -e ${trouble} ]]; then exec ${binary} "$@"; fi
echo >>${starts}
socket=${join(dir, 'run', 'haproxy.sock')}
rm -f $socket
${binary} "$@" & pid=$!
for i in {1..100}; do [[ -S $socket ]] && break; sleep 0.1; done
sleep 1; kill -9 $pid; wait
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  await writeFile(trouble, '');
  return { HAPROXY: path };
}

/** A small file system of its own at `path`; the test fills it, and makes it read-only. */
async function mountSmall(
  cleanup: Cleanup,
  path: string,
): Promise<{ fill: () => Promise<void>; free: () => Promise<void> }> {
  await mkdir(path, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path]);
  cleanup(() => run('umount', ['-l', path]).then(() => undefined));
  const ballast = join(path, 'ballast');
  return {
    // As much as there is room for: it ends with an error.
    fill: () =>
      run('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k']).then(
        () => undefined,
        () => undefined,
      ),
    free: () => rm(ballast),
  };
}

describe('a daemon that was killed', () => {
  test('finds its ports free when it starts again, and what is connected stays connected', async ({
    onTestFinished,
  }) => {
    const { site, held } = await startHolding(onTestFinished);
    const orphan = await site.master();
    // Not ours, although the file is on its command line.
    const reader = spawn('/usr/bin/tail', ['-f', join(site.runDir, 'haproxy.cfg')], { stdio: 'ignore' });
    onTestFinished(() => void reader.kill());
    site.kill();
    await site.answers(site.port, 'a');
    site.start();
    await waitFor('another master', async () =>
      (await site.processes()).some(({ pid, isMaster }) => isMaster && pid !== orphan),
    );
    await site.answers(site.port, 'a');
    await endpointsFollow(site);
    expect(site.output()).not.toContain('not served');
    expect(await saysBack(held)).toBe('still there');
    held.destroy();
    await waitFor('the orphan to end', async (seen) => seen(await site.processes()).length === 2);
    expect(reader.exitCode).toBeNull();
  });

  test('is not one that runs: a second one in the same directory does not start', async ({ onTestFinished }) => {
    const site = await startSite(onTestFinished);
    const second = await site.run();
    expect(second.code).toBe(2);
    expect(second.output).toContain('belongs to a docker-discover that runs; give this one another');
    await site.answers(site.port, 'a');
    expect(site.told('HAProxy exited')).toBe(0);
  });
});

describe('a full or read-only disk', () => {
  test('under haproxy.cfg stops no endpoint, and the file is true again when it can be', async ({ onTestFinished }) => {
    const disk: Partial<Awaited<ReturnType<typeof mountSmall>>> = {};
    const site = await startSite(onTestFinished, async ({ runDir }) => {
      Object.assign(disk, await mountSmall(onTestFinished, runDir));
      return {};
    });
    const isTrue = (has: boolean): Promise<unknown> =>
      waitFor(
        'the file',
        async (seen) => seen(await readFile(join(site.runDir, 'haproxy.cfg'), 'utf8')).includes(b.address) === has,
      );
    await disk.fill?.();
    await site.put('web/b', `${b.address}?port=${String(site.port)}`);
    await site.answers(site.port, 'a', 'b');
    await waitFor(
      'the fault',
      () => site.told('haproxy.cfg stays behind what HAProxy was told; clients see nothing of it') === 1,
    );
    expect(site.output()).toContain(`${site.runDir}/haproxy.cfg can't be written: no space is left; free some`);
    await isTrue(false);
    await disk.free?.();
    await isTrue(true);
    await waitFor('its end', () => site.told('haproxy.cfg is true again') === 1);

    await run('mount', ['-o', 'remount,ro', site.runDir]);
    await site.remove('web/b');
    await site.answers(site.port, 'a');
    await waitFor(
      'the fault',
      () => site.told('haproxy.cfg stays behind what HAProxy was told; clients see nothing of it') === 2,
    );
    expect(site.output()).toContain("can't be written: it is mounted read-only; mount it writable");
    await run('mount', ['-o', 'remount,rw', site.runDir]);
    await isTrue(false);
    await site.put('other/b', `${b.address}?port=${String(site.otherPort)}`);
    await site.answers(site.otherPort, 'b');
    expect(site.told('HAProxy exited')).toBe(0);
  });

  test('under the last known good state is told once, and nothing else', async ({ onTestFinished }) => {
    const disk: Partial<Awaited<ReturnType<typeof mountSmall>>> = {};
    const state = (site: Site): string => join(site.dir, 'state');
    const site = await startSite(onTestFinished, async (one) => {
      Object.assign(disk, await mountSmall(onTestFinished, state(one)));
      await disk.fill?.();
      return {};
    });
    await waitFor('the fault', () => site.told('failed; trying again until it works') === 1);
    expect(site.output()).toContain("last-known-good.json can't be written: no space is left; free some");
    await endpointsFollow(site);
    await site.put('other/b', `${b.address}?port=${String(site.otherPort)}`);
    await site.answers(site.otherPort, 'b');
    await disk.free?.();
    await waitFor('the state', async () =>
      (await readFile(join(state(site), 'last-known-good.json'), 'utf8')).includes('other'),
    );
    expect(site.told('failed; trying again until it works')).toBe(1);
  });
});

describe('a port that is taken', () => {
  test('while its listener was away costs that listener alone, until it is free', async ({ onTestFinished }) => {
    const site = await startSite(onTestFinished, () => Promise.resolve({ LINGER: '500ms' }));
    const other = `${b.address}?port=${String(site.otherPort)}`;
    await site.put('other/b', other);
    await site.answers(site.otherPort, 'b');
    await site.remove('other/b');
    const squatter = await waitFor('the port to be closed', () => listenOn(site.otherPort));
    onTestFinished(() => void squatter.close());
    await site.put('other/b', other);
    const reason = `port ${String(site.otherPort)} is taken by another process`;
    await waitFor('the reason', async (seen) => seen((await site.ls()).problems)[0]?.reason === reason);
    await endpointsFollow(site);
    await closed(squatter);
    await site.answers(site.otherPort, 'b');
    expect((await site.ls()).problems).toEqual([]);
  });

  test("and is the template's own is told as a fault of the template; the last good one stands", async ({
    onTestFinished,
  }) => {
    let template = '';
    const site = await startSite(onTestFinished, async ({ dir }) => {
      template = join(dir, 'template');
      await copyFile(defaultTemplate, template);
      return { TEMPLATE: template };
    });
    const squatter = await listenOn(site.thirdPort);
    onTestFinished(() => void squatter.close());
    await appendFile(template, `\nfrontend own\n    bind 127.0.0.1:${String(site.thirdPort)}\n`);
    site.hangUp();
    const fault = `the template binds ${String(site.thirdPort)}, which is taken by another process: free it, or change the template`;
    await waitFor('the fault', async (seen) => seen((await site.ls()).fault) === fault);
    expect(site.told('HAProxy could not bind; going on without these ports')).toBe(0);
    await endpointsFollow(site);
    await closed(squatter);
    site.hangUp();
    await waitFor('the template', async (seen) => seen((await site.ls()).fault) === null);
  });
});

describe('HAProxy that is out of file descriptors', () => {
  test('makes clients wait, and still follows endpoints', async ({ onTestFinished }) => {
    const site = await startSite(onTestFinished, async ({ dir }) => {
      const global = await builtInWith('global', 'fd-hard-limit 200000', 'fd-hard-limit 300');
      return { TEMPLATE: await writeTemplates(dir, { global }) };
    });
    await site.put(
      'echo/e',
      `127.0.0.1:${String((echo.address() as AddressInfo).port)}?port=${String(site.otherPort)}`,
    );
    await hold(onTestFinished, site.otherPort);
    const clients = Array.from({ length: 300 }, () =>
      connect(site.otherPort, '127.0.0.1').on('error', () => undefined),
    );
    onTestFinished(() => {
      for (const client of clients) client.destroy();
    });
    let served = 0;
    for (const client of clients) client.once('data', () => (served += 1));
    await waitFor(
      'no more to be served',
      async () =>
        (await site.ask('show info')).match(/^CurrConns: (\d+)$/m)?.[1] ===
        (await site.ask('show info')).match(/^Maxconn: (\d+)$/m)?.[1],
    );
    expect(served).toBeLessThan(clients.length);
    await site.put('web/b', `${b.address}?port=${String(site.port)}`);
    await waitFor('the endpoint', async (seen) =>
      /^UP/.test(
        seen((await site.ls()).listeners).find(({ service }) => service === 'web')?.endpoints[1]?.status ?? '',
      ),
    );
    for (const client of clients) client.destroy();
    await site.answers(site.port, 'a', 'b');
    expect(site.told('HAProxy exited')).toBe(0);
  });
});

test('a HAProxy that is being stopped is not started by a load that was under way', async () => {
  const site = await createSite({ etcd, binary, ports: ports.splice(0, 4) });
  const { log } = createTestLog();
  const paths = proxyPathsOf(site.runDir);
  const proxy = createProxy({ binary, paths, stopTimeoutMs: 1_000, log, onExit: () => undefined });
  const text = `global\n    stats socket ${paths.runtimeSocket} level admin\n`;
  const signal = new AbortController().signal;
  const loaded = proxy.load(text, signal).catch((error: unknown) => messageOf(error));
  await proxy.stop();
  expect(await loaded).toContain('it is being stopped');
  await expect(proxy.load(text, signal)).rejects.toThrow('is being stopped');
  expect(await site.processes()).toEqual([]);
  await site.dispose();
});

// They mostly wait, so they do it together.
describe.concurrent('what takes its time', { timeout: 120_000 }, () => {
  test('HAProxy whose worker hangs is replaced', async ({ onTestFinished }) => {
    const site = await startQuiet(onTestFinished);
    const worker = await site.worker();
    process.kill(worker, 'SIGSTOP');
    const { code, output } = await site.run('ls');
    expect(code, output).toBe(0);
    expect(output).toMatch(/haproxy: running, and does not answer: /);
    await replaced(site);
    await site.answers(site.port, 'a');
    await endpointsFollow(site);
    expect(await site.worker()).not.toBe(worker);
    expect(site.output()).not.toContain('not served');
  });

  test('HAProxy whose master hangs follows its endpoints, is replaced, and what is connected stays connected', async ({
    onTestFinished,
  }) => {
    const { site, held } = await startHolding(onTestFinished);
    const master = await site.master();
    process.kill(master, 'SIGSTOP');
    await endpointsFollow(site);
    await replaced(site);
    await site.answers(site.port, 'a');
    expect(await saysBack(held)).toBe('still there');
    await site.put('third/b', `${b.address}?port=${String(site.thirdPort)}`);
    await site.answers(site.thirdPort, 'b');
    expect(await site.stop()).toBe(0);
    expect(await site.processes()).toEqual([]);
  });

  test('HAProxy whose sockets were both removed is replaced, and what is connected stays connected', async ({
    onTestFinished,
  }) => {
    const { site, held } = await startHolding(onTestFinished);
    for (const name of ['master.sock', 'haproxy.sock']) await rm(join(site.runDir, name));
    await replaced(site);
    await endpointsFollow(site);
    expect(await saysBack(held)).toBe('still there');
    held.destroy();
    await waitFor('the old one to end', async (seen) => seen(await site.processes()).length === 2);
  });

  test('HAProxy that crashes again and again is started with growing pauses, told of in two lines, and well when it stays up', async ({
    onTestFinished,
  }) => {
    const site = await startSite(onTestFinished, crashing);
    const starts = async (): Promise<number> => (await readFile(join(site.dir, 'starts'), 'utf8')).length;
    await waitFor('seven starts', async (seen) => seen(await starts()) >= 7, { timeoutMs: 60_000 });
    const words = 'HAProxy ends soon after each start; it is started again with growing pauses';
    await waitFor('the end of the seventh', () => site.told(words) === 1);
    expect(site.told('HAProxy exited')).toBe(1);
    expect(site.told('HAProxy reloaded')).toBeLessThan(3);
    await rm(join(site.dir, 'trouble'));
    await waitFor('it to stay up', () => site.told('HAProxy stays up again') === 1);
    await endpointsFollow(site);
  });

  test('servers of a template that the runtime API could not be given stay, and a drain by hand does not', async ({
    onTestFinished,
  }) => {
    const site = await startSite(onTestFinished, async ({ dir, otherPort }) => {
      const template = join(dir, 'template');
      const own = `listen own
    bind 127.0.0.1:${String(otherPort)}
    server "quoted" ${a.address} # mine
    server-template many 2 ${b.address}
`;
      await writeFile(template, `${await readFile(defaultTemplate, 'utf8')}\n${own}`);
      return { TEMPLATE: template };
    });
    await site.answers(site.otherPort, 'a', 'b');
    await site.ready();
    const { reloads } = (await site.ls()).haproxy;
    await site.put('web/b', `${b.address}?port=${String(site.port)}`);
    await site.answers(site.port, 'a', 'b');
    // A look at everything may come in between.
    await waitFor('the drain', async (seen) => {
      expect(await site.ask(`set server web:${String(site.port)}/a state drain`)).toBe('\n');
      const got = [await site.get(site.port), await site.get(site.port), await site.get(site.port)];
      return seen(got).join() === 'b,b,b';
    });
    // So often it is looked at everything.
    await site.answers(site.port, 'a', 'b');
    await site.answers(site.otherPort, 'a', 'b');
    const states = await site.ask('show servers state own');
    for (const name of ['quoted', 'many1', 'many2']) expect(states).toMatch(new RegExp(` ${name} \\S+ 2 0 `));
    expect((await site.ls()).haproxy.reloads).toBe(reloads);
  });
});
