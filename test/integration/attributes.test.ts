import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { Echo, Echoed } from './support/echo.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const stand = useStand();
let site: Site;

beforeEach(async () => {
  site = await stand.site();
});

/** Puts each of them under its name. */
async function put(
  echoes: readonly Echo[],
  attributes: string,
  id: (echo: Echo) => string = ({ name }) => name,
): Promise<void> {
  for (const one of echoes) await site.put(`web/${id(one)}`, `${one.address}?port=${String(site.port)}&${attributes}`);
}

async function statusesAre(expected: Readonly<Record<string, string>>): Promise<void> {
  await waitFor(`the endpoints to be ${JSON.stringify(expected)}`, async (seen) => {
    const listeners = seen((await site.ls()).listeners);
    const endpoints = listeners.find(({ service }) => service === 'web')?.endpoints ?? [];
    return (
      JSON.stringify(Object.fromEntries(endpoints.map(({ id, status }) => [id, status]))) === JSON.stringify(expected)
    );
  });
}

async function ask(
  path = '/',
  headers: Record<string, string> = {},
): Promise<Echoed & { readonly cookie: string | null }> {
  const response = await fetch(`http://127.0.0.1:${String(site.port)}${path}`, {
    headers,
    signal: AbortSignal.timeout(10_000),
  });
  return { ...((await response.json()) as Echoed), cookie: response.headers.get('set-cookie') };
}

/** Reloads so far, when none is under way. */
async function reloadsSoFar(): Promise<number> {
  await site.put('other/x', `127.0.0.1:1?port=${String(site.otherPort)}`);
  await site.reloadEnded(`other:${String(site.otherPort)}`);
  return (await site.ls()).haproxy.reloads;
}

async function askMany(count: number, path: (n: number) => string = () => '/', headers = {}): Promise<string[]> {
  const names: string[] = [];
  for (let n = 0; n < count; n += 1) names.push((await ask(path(n), headers)).name);
  return names;
}

describe('in HTTP mode', () => {
  it('a service is told the address of its client, and an id of the request', async () => {
    await put([await stand.echo('a')], 'mode=http');
    site.start();
    await statusesAre({ a: 'UP' });
    const { headers } = await ask();
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect((await ask('/', { 'X-Request-ID': 'mine' })).headers['x-request-id']).toBe('mine');
  });

  it('a client with a cookie stays with its server, also with one that came without a reload', async () => {
    const [a, b, c] = [await stand.echo('a'), await stand.echo('b'), await stand.echo('c')];
    await put([a, b], 'mode=http&sticky=cookie');
    site.start();
    await statusesAre({ a: 'UP', b: 'UP' });
    expect(new Set(await askMany(4))).toEqual(new Set(['a', 'b']));
    const reloads = await reloadsSoFar();
    await put([c], 'mode=http&sticky=cookie');
    await statusesAre({ a: 'UP', b: 'UP', c: 'UP' });
    await waitFor('an answer of c', async () => {
      const { name, cookie } = await ask();
      if (name !== 'c') return false;
      expect(cookie).toMatch(new RegExp(`^web-${String(site.port)}=c; path=/; HttpOnly$`));
      return true;
    });
    expect(await askMany(6, undefined, { cookie: `web-${String(site.port)}=c` })).toEqual(Array(6).fill('c'));
    expect((await site.ls()).haproxy.reloads).toBe(reloads);
  });

  it('a client with a cookie is sent elsewhere when its server drains', async () => {
    const [a, b] = [await stand.echo('a'), await stand.echo('b')];
    await put([a, b], 'mode=http&sticky=cookie');
    site.start();
    await statusesAre({ a: 'UP', b: 'UP' });
    await put([a], 'mode=http&sticky=cookie&state=drain');
    const cookie = `web-${String(site.port)}=a`;
    await waitFor('another answer', async () => (await ask('/', { cookie })).name === 'b');
    expect(await askMany(4, undefined, { cookie })).toEqual(Array(4).fill('b'));
    await put([a], 'mode=http&sticky=cookie');
    await waitFor('its return', async () => (await ask('/', { cookie })).name === 'a');
  });

  it('balance=uri sends one path to one server', async () => {
    await put([await stand.echo('a'), await stand.echo('b')], 'mode=http&balance=uri');
    site.start();
    await statusesAre({ a: 'UP', b: 'UP' });
    const first = await askMany(20, (n) => `/${String(n)}`);
    expect(new Set(first)).toEqual(new Set(['a', 'b']));
    expect(await askMany(20, (n) => `/${String(n)}`)).toEqual(first);
  });
});

it('an HTTP check passes with the status that is asked for, and with no other', async () => {
  const busy = await stand.echo('a', { statusOf: () => 429 });
  await put([busy], 'check=/healthz&check-status=200,429&check-interval=500ms');
  site.start();
  await statusesAre({ a: 'UP' });
  await put([busy], 'check=/healthz&check-status=200&check-interval=500ms');
  await statusesAre({ a: 'DOWN' });
});

it('a backup takes traffic only when no other server can', async () => {
  const [a, b] = [await stand.echo('a'), await stand.echo('b')];
  await put([a], 'weight=10');
  await put([b], 'backup=yes');
  site.start();
  await statusesAre({ a: 'UP', b: 'UP' });
  expect(await askMany(6)).toEqual(Array(6).fill('a'));
  await site.remove('web/a');
  await waitFor('the backup', async () => (await ask()).name === 'b');
});

it('maxconn lets no more connections through at a time, and the others wait', async () => {
  const slow = await stand.echo('a', { afterMs: 100 });
  await put([slow], 'maxconn=2');
  site.start();
  await statusesAre({ a: 'UP' });
  expect(await Promise.all(Array.from({ length: 8 }, () => ask().then(({ name }) => name)))).toEqual(
    Array(8).fill('a'),
  );
  expect(slow.most()).toBe(2);
});

it.each([
  ['v1', /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n/],
  ['v2', /^\r\n\r\n\0\r\nQUIT\n/],
])('proxy-protocol=%s tells the server who its client is', async (version, start) => {
  const seen: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    // It may come in pieces.
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (!/GET \/[^]*\r\n\r\n$/.test(text)) return;
      seen.push(text);
      socket.end('HTTP/1.0 200 OK\r\n\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await site.put('web/a', `127.0.0.1:${String(port)}?port=${String(site.port)}&proxy-protocol=${version}`);
    site.start();
    await statusesAre({ a: 'UP' });
    await site.get(site.port);
    expect(seen).toEqual([expect.stringMatching(start)]);
  } finally {
    server.close();
  }
});

it('a server with slow-start comes and goes without a reload', async () => {
  const [a, b] = [await stand.echo('a'), await stand.echo('b')];
  await put([a], 'slow-start=10s');
  site.start();
  await statusesAre({ a: 'UP' });
  const reloads = await reloadsSoFar();
  await put([b], 'slow-start=10s');
  await statusesAre({ a: 'UP', b: 'UP' });
  expect((await site.ls()).haproxy.reloads).toBe(reloads);
  expect((await site.run('render')).output).toContain('slowstart 10s');
});

describe('on this host', () => {
  it('only the services are served that it wants', async () => {
    const a = await stand.echo('a');
    await site.put('web/a', `${a.address}?port=${String(site.port)}`);
    await site.put('web-admin/a', `${(await stand.echo('b')).address}?port=${String(site.otherPort)}`);
    await site.put('db/a', `${(await stand.echo('c')).address}?port=${String(site.thirdPort)}`);
    const env = { SERVICES: 'web*', DENY_SERVICES: '*-admin' };
    site.start(env);
    await statusesAre({ a: 'UP' });
    const { listeners, problems } = await site.ls();
    expect([listeners.map(({ service }) => service), problems]).toEqual([['web'], []]);
  });

  it('endpoints of its zone go first, those of others when these are gone', async () => {
    const [a, b] = [await stand.echo('a'), await stand.echo('b')];
    await put([a], 'zone=eu');
    await put([b], 'zone=us');
    site.start({ ZONE: 'us' });
    await statusesAre({ a: 'UP', b: 'UP' });
    expect(await askMany(6)).toEqual(Array(6).fill('b'));
    await b.close();
    await waitFor('the other zone', async () => (await ask()).name === 'a');
  });

  it('a service has the port that it is mapped to, and no port that is denied', async () => {
    const [a, b] = [await stand.echo('a'), await stand.echo('b')];
    await site.put('web/a', `${a.address}?port=${String(site.port)}`);
    await site.put('db/b', `${b.address}?port=${String(site.otherPort)}`);
    site.start({ MAP: `web=${String(site.thirdPort)}`, DENY_PORTS: String(site.otherPort) });
    await waitFor('the mapped port', async () => (await site.get(site.thirdPort)).includes('"name":"a"'));
    expect(await site.get(site.port)).toBe('');
    const { listeners, problems } = await site.ls();
    expect(listeners.map(({ service, port }) => [service, port])).toEqual([['web', site.thirdPort]]);
    const reason = `port ${String(site.otherPort)} is denied on this host (DENY_PORTS)`;
    expect(problems).toEqual([{ key: `db:${String(site.otherPort)}`, reason }]);
    // After a restart the last known good state knows both ports of it. It is what HAProxy has taken.
    await site.ready();
    await site.stop();
    site.start({ ETCD_HOST: '127.0.0.1:1', MAP: `web=${String(site.thirdPort)}` });
    await waitFor('the mapped port', async () => (await site.get(site.thirdPort)).includes('"name":"a"'));
  });
});
