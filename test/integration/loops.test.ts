import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const stand = useStand();
let a: BackEnd;
let b: BackEnd;
const clients: Socket[] = [];

beforeEach(async () => {
  [a, b] = [await stand.backEnd('a'), await stand.backEnd('b')];
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

const siteWith = (env: Record<string, string> = {}): Promise<Site> => stand.site({ env });

/** Connections that say nothing, each made before the next. */
async function connectTo(port: number, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const client = connect(port, '127.0.0.1').on('error', () => client.destroy());
    clients.push(client);
    await once(client, 'connect');
  }
}

async function infoOf(site: Site, name: string): Promise<number> {
  return Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(await site.ask('show info'))?.[1]);
}

/** Connections that clients have to a listener now. */
async function sessionsOf(site: Site, listener: string): Promise<number> {
  const [head = '', ...rows] = (await site.ask('show stat -1 1 -1')).replace(/^# /, '').split('\n');
  const at = head.split(',').indexOf('scur');
  return Number(rows.find((row) => row.startsWith(`${listener},`))?.split(',')[at]);
}

it('services that lead to each other on one client host get no port, and cost no other service anything', async () => {
  const site = await siteWith({ BIND: '*' });
  const [web, there, back] = [site.port, site.otherPort, site.thirdPort].map(String);
  await site.put('there/a', `127.0.0.1:${String(back)}?port=${String(there)}`);
  await site.put('back/a', `127.0.0.2:${String(there)}?port=${String(back)}`);
  await site.put('web/a', `${a.address}?port=${String(web)}`);
  site.start();
  await site.answers(site.port, 'a');

  const { listeners, problems } = await site.lsJson();
  expect(listeners).toMatchObject([{ service: 'web', endpoints: [{ id: 'a' }] }]);
  expect(problems.map(({ reason }) => reason)).toEqual([
    expect.stringContaining(`127.0.0.2:${String(there)} is at this host's own port ${String(there)}, where HAProxy`),
    expect.stringContaining(`127.0.0.1:${String(back)} is at this host's own port ${String(back)}, where HAProxy`),
  ]);
  await expect(fetch(`http://127.0.0.1:${String(there)}/`)).rejects.toThrow();
  expect(await site.ask('show servers state')).not.toMatch(/there|back/);
  expect((await site.run('explain', 'there')).output).toMatch(/it would lead to itself; give the service another port/);
  expect((await site.run('render')).output).not.toMatch(/^listen (there|back)/m);
});

it('a service whose clients have all the connections that it may have costs no other service, and not the stats page, anything', async () => {
  const site = await siteWith({ LISTENER_MAXCONN: '20' });
  const full = `full:${String(site.port)}`;
  await site.put('full/a', `${a.address}?port=${String(site.port)}`);
  await site.put('web/a', `${b.address}?port=${String(site.otherPort)}`);
  site.start();
  await site.answers(site.port, 'a');
  await site.answers(site.otherPort, 'b');

  await connectTo(site.port, 30);
  await waitFor('the listener to be full', async () => (await sessionsOf(site, full)) === 20);
  // Who comes now waits for one of them to go.
  const waiting = fetch(`http://127.0.0.1:${String(site.port)}/`).then((response) => response.text());
  const startedAt = performance.now();
  expect(await site.get(site.otherPort)).toBe('b');
  expect(await site.get(site.statsPort)).toContain('Statistics Report');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(await sessionsOf(site, full)).toBe(20);
  for (const client of clients.splice(0)) client.destroy();
  expect(await waiting).toBe('a');
});

it('where no setting says otherwise, that is a tenth of what HAProxy can have', async () => {
  const site = await siteWith();
  await site.put('web/a', `${a.address}?port=${String(site.port)}`);
  site.start();
  await site.answers(site.port, 'a');
  const most = (await infoOf(site, 'Maxconn')) / 10;
  const limit = Number(/^ +maxconn (\d+)$/m.exec((await site.run('render')).output)?.[1]);
  expect(limit).toBeGreaterThan(most * 0.95);
  expect(limit).toBeLessThan(most * 1.05);
});

it('two client hosts that lead to each other cost each of them no more than that service', async () => {
  const [one, two] = [
    await siteWith({ LISTENER_MAXCONN: '50' }),
    await siteWith({ LISTENER_MAXCONN: '50', BIND: '127.0.0.2' }),
  ];
  const [listener, otherListener] = [`loop:${String(one.port)}`, `loop:${String(two.port)}`];
  await one.put('web/a', `${a.address}?port=${String(one.otherPort)}`);
  await one.put('loop/a', `127.0.0.2:${String(two.port)}?port=${String(one.port)}`);
  await two.put('loop/a', `127.0.0.1:${String(one.port)}?port=${String(two.port)}`);
  one.start();
  two.start();
  await one.answers(one.otherPort, 'a');
  for (const site of [one, two])
    await waitFor('both ends of the loop to be up', async (seen) => {
      const endpoints = seen(await site.ls()).listeners.flatMap((those) => those.endpoints);
      return endpoints.length > 0 && endpoints.every(({ status }) => status === 'UP');
    });
  await connectTo(one.port, 1);
  await waitFor('the loop to be full', async (seen) => {
    const counts = seen([await sessionsOf(one, listener), await sessionsOf(two, otherListener)]);
    return counts.every((count) => count >= 49);
  });
  expect(await infoOf(one, 'CurrConns')).toBeLessThan(60);
  const startedAt = performance.now();
  expect(await one.get(one.otherPort)).toBe('a');
  expect(await one.get(one.statsPort)).toContain('Statistics Report');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
