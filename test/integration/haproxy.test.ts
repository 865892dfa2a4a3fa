import { execFile } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { proxyPathsOf, type ProxyPaths } from '../../src/adapters/haproxy/paths.js';
import { createProxy } from '../../src/adapters/haproxy/proxy.js';
import type { Server as ModelServer } from '../../src/core/haproxy/listener.js';
import { emptyModel, type Model } from '../../src/core/haproxy/model.js';
import type { ServerLine } from '../../src/core/haproxy/configuration.js';
import type { Step } from '../../src/core/haproxy/plan.js';
import { render } from '../../src/core/haproxy/render.js';
import type { Templates } from '../../src/core/haproxy/templates.js';
import { readTemplates } from '../../src/cli/template-files.js';
import { undisturbed, viewOf } from '../../src/core/haproxy/view.js';
import { proxySettingsWith } from '../unit/support/settings.js';
import { ConfigurationRefusedError, PortsTakenError, StepRejectedError, type Proxy } from '../../src/ports/proxy.js';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { listenerWith, serverWith } from '../unit/support/models.js';
import { closed, freePorts, listenOn } from './support/free-ports.js';
import { createTestLog } from './support/log.js';

type DistributiveOmit<T, K extends keyof T> = T extends unknown ? Omit<T, K> : never;

const signal = new AbortController().signal;
let binary: string;
let templates: Templates;
let dir: string;
let paths: ProxyPaths;
let proxy: Proxy;
let exits: number;
let statsPort: number;
let port: number;
const backends: Server[] = [];

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  templates = await readTemplates(undefined);
}, 600_000);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hap-'));
  paths = proxyPathsOf(dir);
  [statsPort = 0, port = 0] = await freePorts(2);
  exits = 0;
  proxy = createProxy({ binary, paths, stopTimeoutMs: 3_000, log: createTestLog().log, onExit: () => (exits += 1) });
});

afterEach(async () => {
  await proxy.stop();
  await Promise.all(backends.splice(0).map(closed));
  await rm(dir, { recursive: true, force: true });
});

afterAll(() => {
  expect(backends).toEqual([]);
});

/** A back end that answers every connection with its name. */
async function backend(name: string): Promise<ModelServer> {
  const server = createServer((socket) => socket.on('error', () => undefined).end(name));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  backends.push(server);
  return serverWith({ name, host: '127.0.0.1', port: (server.address() as AddressInfo).port });
}

function modelWith(...servers: ModelServer[]): Model {
  const listener = listenerWith({ service: 'web', port, servers });
  return { listeners: [listener], refused: [], forbidden: [], beyond: [] };
}

function textOf(model: Model): string {
  const view = viewOf(
    model,
    proxySettingsWith({
      bind: ['127.0.0.1'],
      statsBind: { host: '127.0.0.1', port: statsPort },
      runtimeSocket: paths.runtimeSocket,
      serverStateFile: paths.serverState,
      hardStopAfterSeconds: 5,
    }),
    undisturbed,
  );
  const text = render(templates, view);
  if (!text.ok) throw new Error(text.reason);
  return text.value;
}

const load = (model: Model): Promise<void> => proxy.load(textOf(model), signal);

/** What a client gets from the listener: the name of the back end, or an empty text. */
function get(): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    connect(port, '127.0.0.1')
      .on('data', (chunk) => (answer += chunk.toString()))
      .on('error', reject)
      .on('end', () => {
        resolve(answer);
      });
  });
}

describe('start', () => {
  it('with no listener has the stats page and the metrics', async () => {
    await load(emptyModel);
    const page = await fetch(`http://127.0.0.1:${String(statsPort)}/`);
    expect(await page.text()).toContain('Statistics Report for HAProxy');
    const metrics = await fetch(`http://127.0.0.1:${String(statsPort)}/metrics`);
    expect(await metrics.text()).toContain('haproxy_process_uptime_seconds');
  });

  it('balances round robin', async () => {
    await load(modelWith(await backend('a'), await backend('b')));
    const answers = [await get(), await get(), await get(), await get()];
    expect(answers.filter((answer) => answer === 'a')).toHaveLength(2);
    expect(answers.filter((answer) => answer === 'b')).toHaveLength(2);
  });

  it('tells by exit that HAProxy is gone, and can be started again', async () => {
    await load(emptyModel);
    const { stdout } = await promisify(execFile)('bash', ['-c', `ps -eo pid,args | grep -F '${dir}' | grep -v grep`]);
    for (const line of stdout.trim().split('\n')) process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
    await waitFor('the exit to be told', () => exits === 1);
    expect(proxy.isRunning()).toBe(false);
    await load(modelWith(await backend('a')));
    expect(await get()).toBe('a');
  });
});

describe('reload', () => {
  it('replaces the worker and refuses nobody', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    await load(modelWith(a));
    const before = await proxy.workerPid(signal);
    let failed = 0;
    let done = 0;
    let reloading = true;
    const client = async (): Promise<void> => {
      while (reloading) {
        const answer = await get().catch(() => '');
        if (answer === '') failed += 1;
        done += 1;
      }
    };
    const clients = [client(), client(), client(), client()];
    for (let n = 0; n < 10; n += 1) await load(n % 2 === 0 ? modelWith(a, b) : modelWith(a));
    reloading = false;
    await Promise.all(clients);
    expect(failed).toBe(0);
    expect(done).toBeGreaterThan(20);
    expect(await proxy.workerPid(signal)).not.toBe(before);
  });

  it('keeps a dead server down', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    await load(modelWith(a, b));
    const dead = backends.pop();
    if (dead !== undefined) await closed(dead);
    const statusOf = async (): Promise<string | undefined> =>
      (await proxy.serverStatus(signal)).find(({ server }) => server === 'b')?.status;
    await waitFor('the check to fail', async (seen) => seen(await statusOf()) === 'DOWN');
    await load(modelWith(a, b, await backend('c')));
    expect(await statusOf()).toBe('DOWN');
  });

  it('gives a server that moved its new port, and not the one in the state file', async () => {
    await load(modelWith(await backend('a')));
    const moved = await backend('a');
    await load(modelWith(moved));
    const [state] = await proxy.serversState('all', signal);
    expect(state).toMatchObject({ server: 'a', address: `127.0.0.1:${String(moved.port)}` });
  });

  it('takes a server that drained back to its weight', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    const draining = modelWith(a, { ...b, weight: 0 });
    await load(modelWith(a, b));
    await proxy.apply([{ kind: 'weight', listener: `web:${String(port)}`, server: 'b', weight: 0 }], signal);
    expect(await proxy.keep(() => textOf(draining))).toBeNull();
    expect(await readFile(paths.config, 'utf8')).toBe(textOf(draining));
    expect([await get(), await get(), await get()]).toEqual(['a', 'a', 'a']);
    await load(modelWith(a, b));
    expect((await proxy.serversState('all', signal)).map(({ weight }) => weight)).toEqual([1, 1]);
  });
});

describe('a configuration that HAProxy refuses', () => {
  it('leaves file, worker and traffic as they were, and is told in its words', async () => {
    const good = modelWith(await backend('a'));
    await load(good);
    const before = await proxy.workerPid(signal);
    const loading = proxy.load(`${textOf(good)}\nlisten broken\n    bind nonsense\n`, signal);
    await expect(loading).rejects.toThrow(ConfigurationRefusedError);
    await expect(loading).rejects.toThrow(/nonsense/);
    expect(await readFile(paths.config, 'utf8')).toBe(textOf(good));
    expect(await proxy.workerPid(signal)).toBe(before);
    expect(await get()).toBe('a');
  });

  it('at the start is told, and a good one then starts', async () => {
    await expect(proxy.load('nonsense\n', signal)).rejects.toThrow(ConfigurationRefusedError);
    await load(emptyModel);
    expect(proxy.isRunning()).toBe(true);
  });
});

describe('a port that another process has', () => {
  it('is seen before it is tried', async () => {
    const [free = 0] = await freePorts(1);
    const squatter = await listenOn(port);
    try {
      const taken = await proxy.takenOf([
        { host: '127.0.0.1', port },
        { host: '*', port },
        { host: '*', port: free },
      ]);
      expect(taken).toEqual([
        { host: '127.0.0.1', port },
        { host: '*', port },
      ]);
    } finally {
      await closed(squatter);
    }
  });

  it('fails the reload with its number, and the old worker goes on', async () => {
    await load(emptyModel);
    const squatter = await listenOn(port);
    try {
      const failure = await load(modelWith()).then(
        () => null,
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(PortsTakenError);
      expect((failure as PortsTakenError).ports).toEqual([port]);
      expect(await readFile(paths.config, 'utf8')).toBe(textOf(emptyModel));
      expect((await fetch(`http://127.0.0.1:${String(statsPort)}/`)).status).toBe(200);
    } finally {
      await closed(squatter);
    }
    await load(modelWith(await backend('a')));
    expect(await get()).toBe('a');
  });

  it('fails the start with its number', async () => {
    const squatter = await listenOn(port);
    try {
      await expect(load(modelWith())).rejects.toThrow(PortsTakenError);
    } finally {
      await closed(squatter);
    }
    await load(emptyModel);
    expect(proxy.isRunning()).toBe(true);
  });
});

describe('the runtime API', () => {
  const steps = (...list: DistributiveOmit<Step, 'listener'>[]): Promise<number> =>
    proxy.apply(
      list.map((step) => ({ ...step, listener: `web:${String(port)}` })),
      signal,
    );
  const lineOf = ({ port: at }: ModelServer): ServerLine => ({
    address: `127.0.0.1:${String(at)}`,
    weight: 1,
    keywords: 'check inter 2s fastinter 500ms downinter 1s rise 2 fall 2',
  });

  it('adds a server that takes traffic at once, and takes it out and deletes it, with the same worker', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    await load(modelWith(a));
    const before = await proxy.workerPid(signal);
    await steps({ kind: 'add', server: 'b', line: lineOf(b) });
    expect(new Set([await get(), await get()])).toEqual(new Set(['a', 'b']));
    expect(await proxy.serverStatus(signal)).toContainEqual(
      expect.objectContaining({ server: 'b', status: expect.stringMatching(/^UP/) as string }),
    );
    expect(await steps({ kind: 'maint', server: 'b' })).toBe(0);
    // The client may have its answer before HAProxy has closed the session.
    await waitFor('the delete', async (seen) => seen(await steps({ kind: 'delete', server: 'b' })) === 0);
    expect([await get(), await get()]).toEqual(['a', 'a']);
    expect((await proxy.serversState('all', signal)).map(({ server }) => server)).toEqual(['a']);
    expect(await proxy.workerPid(signal)).toBe(before);
  });

  it('deletes a server also when it came from the file, and checks one that was added', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    await load(modelWith(a));
    await steps(
      { kind: 'add', server: 'b', line: lineOf(b) },
      { kind: 'maint', server: 'a' },
      { kind: 'delete', server: 'a' },
    );
    expect(await get()).toBe('b');
    const dead = backends.pop();
    if (dead !== undefined) await closed(dead);
    await waitFor('the check to fail', async (seen) => {
      const [status] = await proxy.serverStatus(signal);
      return seen(status?.status) === 'DOWN';
    });
  });

  it('tells the servers of the listeners that it is asked for, also where there is none', async () => {
    const { listeners } = modelWith(await backend('a'), await backend('b'));
    const [web] = listeners;
    const [free = 0] = await freePorts(1);
    if (web === undefined) throw new Error('no listener');
    const empty = { ...web, name: `none:${String(free)}`, service: 'none', port: free, servers: [] };
    await load({ listeners: [web, empty], refused: [], forbidden: [], beyond: [] });
    const namesOf = async (...names: string[]): Promise<string[]> =>
      (await proxy.serversState(names, signal)).map(({ server }) => server);
    expect(await namesOf(web.name)).toEqual(['a', 'b']);
    expect(await namesOf(empty.name)).toEqual([]);
    expect(await namesOf(empty.name, web.name)).toEqual(['a', 'b']);
    await expect(namesOf(web.name, 'nobody:1')).rejects.toThrow('did not tell the state of its servers');
  });

  it('moves a server, and takes one back from maintenance', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    await load(modelWith(a));
    await steps({ kind: 'move', server: 'a', host: '127.0.0.1', port: b.port });
    expect(await get()).toBe('b');
    await steps({ kind: 'maint', server: 'a' });
    expect(await proxy.serversState('all', signal)).toMatchObject([{ maint: true }]);
    await steps({ kind: 'ready', server: 'a' });
    expect(await get()).toBe('b');
  });

  it('leaves connections to a server that goes, and deletes it when they are gone or shut down', async () => {
    const talking = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('hello');
    });
    talking.listen(0, '127.0.0.1');
    await new Promise((resolve) => talking.once('listening', resolve));
    const talker = serverWith({ name: 't', host: '127.0.0.1', port: (talking.address() as AddressInfo).port });
    await load(modelWith(talker, await backend('a')));
    const held: Socket[] = [];
    let ended = 0;
    for (let n = 0; n < 2; n += 1) {
      const socket = connect(port, '127.0.0.1').on('close', () => (ended += 1));
      held.push(socket);
      await new Promise((resolve) => socket.once('data', resolve));
    }
    expect(await steps({ kind: 'maint', server: 't' }, { kind: 'delete', server: 't' })).toBe(1);
    // The back end ends its own; the one to the talker lives on.
    await waitFor('the answered one to end', () => ended > 0);
    expect(ended).toBe(1);
    await steps({ kind: 'shutdown sessions', server: 't' });
    await waitFor('the delete', async (seen) => seen(await steps({ kind: 'delete', server: 't' })) === 0);
    await waitFor('the connection to end', () => ended === 2);
    for (const socket of held) socket.destroy();
    talking.close();
  });

  it('takes 500 steps at once', async () => {
    const a = await backend('a');
    await load(modelWith(a));
    const many = Array.from({ length: 250 }, (_, n) => `s${String(n)}`);
    await steps(...many.map((server) => ({ kind: 'add', server, line: lineOf(a) }) as const));
    expect(await proxy.serversState('all', signal)).toHaveLength(251);
    await steps(...many.flatMap((server) => [{ kind: 'maint', server } as const, { kind: 'delete', server } as const]));
    expect(await proxy.serversState('all', signal)).toHaveLength(1);
  });

  it('tells in its words what it does not take', async () => {
    await load(modelWith(await backend('a')));
    await expect(steps({ kind: 'weight', server: 'nobody', weight: 1 })).rejects.toThrow(StepRejectedError);
    await expect(steps({ kind: 'weight', server: 'nobody', weight: 1 })).rejects.toThrow('No such server');
    const line = { address: '127.0.0.1:1', weight: 1, keywords: 'frob' };
    await expect(steps({ kind: 'add', server: 'b', line })).rejects.toThrow("unknown keyword 'frob'");
  });
});

describe('stop', () => {
  it('lets a request under way finish, and takes no new one', async () => {
    let answer = (): void => undefined;
    const slow = createHttpServer((_request, response) => {
      answer = () => response.end('done');
    });
    slow.listen(0, '127.0.0.1');
    await new Promise((resolve) => slow.once('listening', resolve));
    backends.push(slow);
    await load(modelWith(serverWith({ name: 'slow', host: '127.0.0.1', port: (slow.address() as AddressInfo).port })));
    const asking = fetch(`http://127.0.0.1:${String(port)}/`, { headers: { connection: 'close' } }).then((response) =>
      response.text(),
    );
    let asked = false;
    slow.once('request', () => (asked = true));
    await waitFor('the request to arrive', () => asked);
    const stopping = proxy.stop();
    await waitFor(
      'the listener to close',
      async () => (await proxy.takenOf([{ host: '127.0.0.1', port }])).length === 0,
    );
    answer();
    expect(await asking).toBe('done');
    await stopping;
    expect(proxy.isRunning()).toBe(false);
  });

  it('is bounded', async () => {
    // After a word, by which the client knows that it is served: a check connects too.
    const silent = createServer((socket) => socket.on('error', () => undefined).write('.'));
    silent.listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    await load(
      modelWith(serverWith({ name: 'silent', host: '127.0.0.1', port: (silent.address() as AddressInfo).port })),
    );
    const connection = connect(port, '127.0.0.1').on('error', () => undefined);
    await new Promise((resolve) => connection.once('data', resolve));
    await proxy.stop();
    expect(proxy.isRunning()).toBe(false);
    connection.destroy();
    silent.close();
  });
});
