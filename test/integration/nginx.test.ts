import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import { startEcho, type Echo, type Echoed } from './support/echo.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { askAs } from './support/http.js';
import { createSite, type Site } from './support/site.js';
import { examples } from './support/templates.js';

let etcd: TestEtcd;
let site: Site;
let nginx: ChildProcess;
let file: string;
let template: string;
const echoes = new Map<string, Echo>();

beforeAll(async () => {
  etcd = await startEtcd();
  for (const name of ['shop', 'shop-2', 'blog']) echoes.set(name, await startEcho(name));
}, 600_000);
afterAll(async () => {
  await Promise.all([...echoes.values()].map((echo) => echo.close()));
  await etcd.dispose();
});

const addressOf = (name: string): string => echoes.get(name)?.address ?? '';

/** The example, on loopback and with files of its own. */
async function exampleFor({ dir, thirdPort }: Site): Promise<string> {
  let text = await readFile(join(examples, 'nginx', 'nginx.conf.mustache'), 'utf8');
  for (const [from, to] of [
    ['listen {{port}};', 'listen 127.0.0.1:{{port}};'],
    ['listen 80;', `listen 127.0.0.1:${String(thirdPort)};`],
    ['pid /run/nginx.pid;', `pid ${dir}/nginx.pid;`],
  ] as const) {
    if (!text.includes(from)) throw new Error(`the example has no ${from}`);
    text = text.replace(from, to);
  }
  return text;
}

beforeEach(async () => {
  site = await createSite({ etcd, binary: '/nowhere/haproxy' });
  file = join(site.dir, 'nginx.conf');
  template = join(site.dir, 'nginx.conf.mustache');
  await writeFile(template, await exampleFor(site));
  await mkdir(site.runDir);
  // As Debian's is before anything is known: it runs, and has no site.
  await writeFile(file, `pid ${site.dir}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {}\n`);
  nginx = spawn('nginx', ['-c', file, '-g', 'daemon off;'], {
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    stdio: 'ignore',
  });
  await waitFor('nginx', async () => (await readFile(join(site.dir, 'nginx.pid'), 'utf8').catch(() => '')) !== '');
});
afterEach(async () => {
  await site.dispose();
  const ended = once(nginx, 'exit');
  nginx.kill('SIGTERM');
  await ended;
});

function start(): void {
  site.start({
    TEMPLATE: template,
    OUTPUT: file,
    EXEC_CHECK: '/usr/sbin/nginx -t -c "$FILE"',
    EXEC: '/usr/sbin/nginx -c "$FILE" -s reload',
    RELOAD_INTERVAL: '0s',
  });
}

async function answersTo(host: string, port: number): Promise<string> {
  const answer = await askAs({ port, host }).catch(() => ({ status: 0, body: '' }));
  return answer.status === 200 ? (JSON.parse(answer.body) as Echoed).name : String(answer.status);
}

async function answered(expected: readonly string[], host: string, port: number): Promise<void> {
  await waitFor(`${host}:${String(port)} to be answered by ${expected.join(' and ')}`, async (seen) => {
    const got = new Set<string>();
    for (let n = 0; n < 4; n += 1) got.add(await answersTo(host, port));
    return seen([...got].sort().join()) === expected.join();
  });
}

it('nginx follows the services, at their ports and by their host names', async () => {
  await site.put('shop/a', `${addressOf('shop')}?port=${String(site.port)}&http-host=shop.example`);
  await site.put('blog/a', `${addressOf('blog')}?port=${String(site.otherPort)}&http-host=*.blog.example`);
  start();
  await answered(['shop'], 'any', site.port);
  await answered(['shop'], 'shop.example', site.thirdPort);
  await answered(['blog'], 'a.blog.example', site.thirdPort);
  expect(await answersTo('nobody.example', site.thirdPort)).toBe('404');
  await site.put('shop/b', `${addressOf('shop-2')}?port=${String(site.port)}&http-host=shop.example`);
  await answered(['shop', 'shop-2'], 'shop.example', site.thirdPort);
  await site.put('shop/a', `${addressOf('shop')}?port=${String(site.port)}&http-host=shop.example&state=drain`);
  await answered(['shop-2'], 'shop.example', site.thirdPort);
  await site.remove('blog/a');
  await answered(['404'], 'a.blog.example', site.thirdPort);
});

it('what nginx refuses is told with its words, and the file before it stands', async () => {
  await site.put('shop/a', `${addressOf('shop')}?port=${String(site.port)}&mode=http`);
  start();
  await answered(['shop'], 'any', site.port);
  const before = await readFile(file, 'utf8');
  await writeFile(template, 'events {}\nhttp { frobnicate; }\n');
  site.hangUp();
  await waitFor('the fault', async (seen) => seen((await site.ls()).fault) !== null);
  expect((await site.ls()).fault).toMatch(/^EXEC_CHECK ended with 1: .*unknown directive "frobnicate"/);
  expect(await readFile(file, 'utf8')).toBe(before);
  await writeFile(template, await exampleFor(site));
  site.hangUp();
  await site.put('shop/b', `${addressOf('shop-2')}?port=${String(site.port)}&mode=http`);
  await answered(['shop', 'shop-2'], 'any', site.port);
  expect((await site.ls()).fault).toBeNull();
});
