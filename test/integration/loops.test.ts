import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { haproxyPath } from '../lab/haproxy.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { createSite, type Site } from './support/site.js';

let binary: string;
let etcd: TestEtcd;
let a: BackEnd;
const sites: Site[] = [];

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  etcd = await startEtcd();
}, 600_000);
afterAll(() => etcd.dispose());
beforeEach(async () => {
  a = await startBackEnd('a');
});
afterEach(async () => {
  await Promise.all(sites.splice(0).map((site) => site.dispose()));
  await a.close();
});

async function siteWith(env: Record<string, string> = {}): Promise<Site> {
  const site = await createSite({ etcd, binary, env });
  sites.push(site);
  return site;
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
