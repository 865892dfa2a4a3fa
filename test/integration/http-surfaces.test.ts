import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import { freePorts } from './support/free-ports.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const own = ['metrics', 'status page'] as const;
const all = [...own, 'stats page'] as const;
type Surface = (typeof all)[number];

// Each begins with the start of a daemon, and of a HAProxy.
vi.setConfig({ testTimeout: 180_000 });

const stand = useStand();
let site: Site;
let a: BackEnd;
let pagePort: number;

beforeEach(async () => {
  a = await stand.backEnd('a');
  const ports = await freePorts(5);
  pagePort = ports[4] ?? 0;
  const [, , metricsPort = 0] = ports;
  site = await stand.site({
    ports,
    env: { METRICS_BIND: `127.0.0.1:${String(metricsPort)}`, STATUS_BIND: `127.0.0.1:${String(pagePort)}` },
  });
});

async function start(more: Record<string, string> = {}): Promise<void> {
  site.start(more);
  await waitFor(
    'all of them',
    async () => {
      for (const surface of all) await asked(surface);
      return true;
    },
    { timeoutMs: 90_000 },
  );
}

const portOf = (surface: Surface): number =>
  ({ metrics: site.thirdPort, 'status page': pagePort, 'stats page': site.statsPort })[surface];

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The head of the answer; the connection ends with it. */
function asked(
  surface: Surface,
  { method = 'GET', path = '/', headers = {}, body = '' }: Question = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: portOf(surface), method, path, headers, agent: false, timeout: 5_000 };
    const asking = request(options, (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers as Record<string, string> });
      response.destroy();
    });
    asking.once('error', reject);
    asking.once('timeout', () => asking.destroy(new Error('no answer')));
    asking.end(body);
  });
}

async function opened(surface: Surface): Promise<Socket> {
  const socket = connect(portOf(surface), '127.0.0.1');
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  return socket;
}

/** However it ends. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed)
    await new Promise<void>((resolve) =>
      socket.once('close', () => {
        resolve();
      }),
    );
}

/** What comes back for these bytes until the connection ends; null where it does not. */
async function answerTo(surface: Surface, bytes: Buffer): Promise<string | null> {
  const socket = await opened(surface);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write(bytes);
  const isClosed = await Promise.race([
    closed(socket).then(() => true),
    once(AbortSignal.timeout(20_000), 'abort').then(() => false),
  ]);
  socket.destroy();
  return isClosed ? text : null;
}

describe('what the daemon itself serves', () => {
  it.each(own)('%s: strict headers and nothing for other origins, whatever is asked', async (surface) => {
    await start();
    const origin = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'GET' };
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'TRACE'])
      for (const path of ['/', '/metrics', '/healthz', '/events', '/page.js', '/none']) {
        const { status, headers } = await asked(surface, { method, path, headers: origin });
        const reads = ['GET', 'HEAD'].includes(method);
        expect(reads ? [200, 404] : [405], `${method} ${path}`).toContain(status);
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
        expect(headers).not.toHaveProperty('set-cookie');
        expect(headers).not.toHaveProperty('server');
        expect(headers).toMatchObject({
          ...{ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' },
          ...{ 'cache-control': 'no-store', 'cross-origin-resource-policy': 'same-origin' },
        });
        const policy = headers['content-security-policy'] ?? '';
        expect(policy).toMatch(/^default-src 'none'; /);
        expect(policy).not.toMatch(/unsafe|\*|http/);
        for (const one of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "script-src 'self'"])
          expect(policy.split('; ')).toContain(one);
      }
  });

  it.each(own)('%s: on loopback, asked for by a name of somebody else’s, tells nothing', async (surface) => {
    await start();
    const { status } = await asked(surface, { headers: { Host: `evil.example:${String(portOf(surface))}` } });
    expect(status).toBe(421);
    const { headers, status: byName } = await asked(surface, { path: '/none', headers: { Host: 'localhost' } });
    expect([byName, headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
  });
});

describe('HAProxy’s own page', () => {
  it.each([
    ['without a password', {}, {}],
    ['with one', { STATS_AUTH: 'admin:s3cret' }, { Authorization: `Basic ${btoa('admin:s3cret')}` }],
  ])('takes no admin action, %s', async (_how, settings: Record<string, string>, headers: Record<string, string>) => {
    await site.put('web/a', `${a.address}?port=${String(site.port)}`);
    await start(settings);
    await site.answers(site.port, 'a');
    expect((await asked('stats page', { headers })).status).toBe(200);
    const states = (): Promise<string> => site.ask(`show servers state web:${String(site.port)}`);
    const before = (await states()).split('\n').map((line) => line.split(' ').slice(0, 9).join(' '));
    for (const action of ['drain', 'maint', 'shutdown', 'dhlth', 'stop']) {
      const body = `s=a&action=${action}&b=web%3A${String(site.port)}`;
      const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const question = { method: 'POST', headers: { ...headers, ...type, 'Content-Length': String(body.length) } };
      const { status, headers: told } = await asked('stats page', { ...question, body });
      // "DENY" is its word for a page without admin actions.
      expect([status, told['location'] ?? '']).toEqual([303, expect.stringContaining('st=DENY')]);
    }
    expect((await states()).split('\n').map((line) => line.split(' ').slice(0, 9).join(' '))).toEqual(before);
    expect(await site.get(site.port)).toBe('a');
  });
});

const hello = Buffer.from('160301020001000001fc0303', 'hex');
const garbage: [string, Buffer][] = [
  ['random bytes', Buffer.concat([randomBytes(65_536), Buffer.from('\r\n\r\n')])],
  ['zeros', Buffer.alloc(65_536)],
  ['a long path', Buffer.from(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`)],
  ['a long header', Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`)],
  ['many headers', Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\n${'X: a\r\n'.repeat(5_000)}\r\n`)],
  [
    'two lengths',
    Buffer.from(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG',
    ),
  ],
  ['another version', Buffer.from('GET / HTTP/9.9\r\nHost: localhost\r\n\r\n')],
  ['the start of TLS', hello],
];

describe.each(all)('%s', (surface) => {
  it('takes garbage for what it is, and answers the next', async () => {
    await start();
    // HAProxy reads some of it as the request that was meant.
    const expected = surface === 'stats page' ? /^$|^HTTP\/1\.[01] (?!50[0234])/ : /^$|^HTTP\/1\.[01] (4\d\d|505) /;
    await Promise.all(
      garbage.map(async ([what, bytes]) => {
        const answer = await answerTo(surface, bytes);
        expect(answer, `${what}: the connection has an end`).not.toBeNull();
        expect(answer, what).toMatch(expected);
      }),
    );
    expect((await asked(surface)).status).toBeLessThan(500);
    expect(site.output()).not.toMatch(/"level":"(?:error|fatal)"/);
  });

  it('lets go of who is slow, and the daemon goes on with its work meanwhile', async () => {
    await start();
    const slow = await Promise.all(Array.from({ length: 150 }, () => opened(surface)));
    const ends = Promise.all(slow.map(closed));
    for (const socket of slow) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const drip = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write('a');
    }, 500);
    try {
      await site.put('web/a', `${a.address}?port=${String(site.port)}`);
      const at = performance.now();
      await site.answers(site.port, 'a');
      expect(performance.now() - at).toBeLessThan(5_000);
      expect((await site.ls()).catalog).toBe('live');
      await Promise.race([
        ends,
        once(AbortSignal.timeout(25_000), 'abort').then(() => Promise.reject(new Error('some are still there'))),
      ]);
      expect((await asked(surface, { path: '/metrics' })).status).toBeLessThan(500);
    } finally {
      clearInterval(drip);
      for (const socket of slow) socket.destroy();
    }
    expect(site.output()).not.toMatch(/"level":"(?:error|fatal)"/);
  });
});
