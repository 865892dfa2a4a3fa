import { execFile } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { proxyPathsOf, type ProxyPaths } from '../../src/adapters/haproxy/paths.js';
import { createProxy } from '../../src/adapters/haproxy/proxy.js';
import { emptyModel, type Listener, type Model, type Server as ModelServer } from '../../src/core/haproxy/model.js';
import { render } from '../../src/core/haproxy/render.js';
import { viewOf } from '../../src/core/haproxy/view.js';
import { ConfigurationRefusedError, PortsTakenError, StepRejectedError, type Proxy } from '../../src/ports/proxy.js';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { closed, freePorts, listenOn } from './support/free-ports.js';
import { createTestLog } from './support/log.js';

const signal = new AbortController().signal;
let binary: string;
let template: string;
let dir: string;
let paths: ProxyPaths;
let proxy: Proxy;
let exits: number;
let statsPort: number;
let port: number;
const backends: Server[] = [];

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  template = await readFile(new URL('../../templates/haproxy.cfg.mustache', import.meta.url), 'utf8');
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
  return { name, host: '127.0.0.1', port: (server.address() as AddressInfo).port, weight: 1 };
}

function modelWith(...servers: ModelServer[]): Model {
  const listener: Listener = {
    name: `web:${String(port)}`,
    service: 'web',
    port,
    mode: 'tcp',
    balance: 'roundrobin',
    check: null,
    servers,
    empty: null,
  };
  return { listeners: [listener], refused: [] };
}

function textOf(model: Model): string {
  const view = viewOf(
    model,
    {
      bind: ['127.0.0.1'],
      statsBind: { host: '127.0.0.1', port: statsPort },
      statsAuth: null,
      runtimeSocket: paths.runtimeSocket,
      serverStateFile: paths.serverState,
      hardStopAfterSeconds: 5,
    },
    false,
  );
  const text = render(template, view);
  if (!text.ok) throw new Error(text.reason);
  return text.value;
}

const load = (model: Model): Promise<void> => proxy.load(textOf(model), model, signal);

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
    const [state] = await proxy.serversState(signal);
    expect(state).toMatchObject({ server: 'a', port: moved.port });
  });

  it('takes a server that drained back to its weight', async () => {
    const [a, b] = [await backend('a'), await backend('b')];
    const draining = modelWith(a, { ...b, weight: 0 });
    await load(modelWith(a, b));
    await proxy.apply(
      [{ kind: 'set weight', listener: `web:${String(port)}`, server: 'b', weight: 0 }],
      textOf(draining),
      signal,
    );
    expect(await readFile(paths.config, 'utf8')).toBe(textOf(draining));
    expect([await get(), await get(), await get()]).toEqual(['a', 'a', 'a']);
    await load(modelWith(a, b));
    expect((await proxy.serversState(signal)).map(({ weight }) => weight)).toEqual([1, 1]);
  });
});

describe('a configuration that HAProxy refuses', () => {
  it('leaves file, worker and traffic as they were, and is told in its words', async () => {
    const good = modelWith(await backend('a'));
    await load(good);
    const before = await proxy.workerPid(signal);
    const loading = proxy.load(`${textOf(good)}\nlisten broken\n    bind nonsense\n`, good, signal);
    await expect(loading).rejects.toThrow(ConfigurationRefusedError);
    await expect(loading).rejects.toThrow(/nonsense/);
    expect(await readFile(paths.config, 'utf8')).toBe(textOf(good));
    expect(await proxy.workerPid(signal)).toBe(before);
    expect(await get()).toBe('a');
  });

  it('at the start is told, and a good one then starts', async () => {
    await expect(proxy.load('nonsense\n', emptyModel, signal)).rejects.toThrow(ConfigurationRefusedError);
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
  it('tells of a command that it does not take', async () => {
    const model = modelWith(await backend('a'));
    await load(model);
    const step = { kind: 'set weight', listener: `web:${String(port)}`, server: 'nobody', weight: 1 } as const;
    await expect(proxy.apply([step], textOf(model), signal)).rejects.toThrow(StepRejectedError);
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
    await load(modelWith({ name: 'slow', host: '127.0.0.1', port: (slow.address() as AddressInfo).port, weight: 1 }));
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
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    await load(
      modelWith({ name: 'silent', host: '127.0.0.1', port: (silent.address() as AddressInfo).port, weight: 1 }),
    );
    const connection = connect(port, '127.0.0.1').on('error', () => undefined);
    const accepted = new Promise((resolve) => silent.once('connection', resolve));
    await accepted;
    await proxy.stop();
    expect(proxy.isRunning()).toBe(false);
    connection.destroy();
    silent.close();
  });
});
