import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import { selfSigned, signed, type SelfSigned } from './support/certificate.js';
import type { Echoed } from './support/echo.js';
import { freePorts, listenOn } from './support/free-ports.js';
import { askAs, statusOverHttp2, type Asked } from './support/http.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const stand = useStand();
let site: Site;
let httpPort: number;
let httpsPort: number;
/** For a service, beside those of the site. */
let fourthPort: number;
let certs: string;

beforeEach(async () => {
  [httpPort = 0, httpsPort = 0, fourthPort = 0] = await freePorts(3);
  site = await stand.site({ env: { HTTP_BIND: `127.0.0.1:${String(httpPort)}` } });
  certs = join(site.dir, 'certificates');
  await mkdir(certs);
});

/** A service with one endpoint, which answers with its name. */
async function serve(service: string, port: number, attributes: string): Promise<void> {
  const echo = await stand.echo(service);
  await site.put(`${service}/${service}`, `${echo.address}?port=${String(port)}&${attributes}`);
}

/** Who answers at the entrance: the name of a service, or the status of another answer. */
async function answerTo(host: string, path = '/', more: Partial<Asked> = {}): Promise<string> {
  const { status, body } = await askAs({ port: httpPort, host, path, ...more });
  return status === 200 ? (JSON.parse(body) as Echoed).name : String(status);
}

async function answers(expected: string, host: string, path = '/', more: Partial<Asked> = {}): Promise<void> {
  await waitFor(
    `${host}${path} to be answered by ${expected}`,
    async (seen) => seen(await answerTo(host, path, more).catch(String)) === expected,
  );
}

async function echoed(host: string, more: Partial<Asked> = {}): Promise<Echoed['headers']> {
  return (JSON.parse((await askAs({ port: httpPort, host, ...more })).body) as Echoed).headers;
}

const withTls = (): Record<string, string> => ({ HTTPS_BIND: `127.0.0.1:${String(httpsPort)}`, CERTS: certs });

describe('the HTTP entrance', () => {
  it('leads by host name and longest path to the services that ask for it', async () => {
    await serve('shop', site.port, 'http-host=shop.example,www.shop.example');
    await serve('api', site.otherPort, 'http-host=shop.example&http-path=/api');
    await serve('blogs', site.thirdPort, 'http-host=*.blog.example');
    await serve('health', fourthPort, 'http-path=/healthz');
    site.start();
    await answers('shop', 'shop.example');
    await answers('health', 'nobody.example', '/healthz');
    const asked: [string, string, string][] = [
      ['WWW.Shop.Example:8080', '/', 'shop'],
      ['shop.example', '/apis', 'shop'],
      ['shop.example', '/api', 'api'],
      ['shop.example', '/api/v1?x=/y', 'api'],
      ['a.blog.example', '/x', 'blogs'],
      ['a.b.blog.example', '/', '404'],
      ['blog.example', '/', '404'],
      ['shop.example.evil', '/', '404'],
      ['shop.example', '/healthz', 'shop'],
      ['nobody.example', '/', '404'],
    ];
    for (const [host, path, expected] of asked)
      expect([host, path, await answerTo(host, path)]).toEqual([host, path, expected]);
    const { listeners } = await site.ls();
    expect(listeners.find(({ service }) => service === 'shop')).toMatchObject({
      port: site.port,
      routes: ['shop.example', 'www.shop.example'],
    });
    const { output } = await site.run('ls');
    expect(output).toContain('shop.example/api');
  });

  it('tells a service its client, and what the client asked for', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    site.start();
    await answers('shop', 'shop.example');
    expect(await echoed('shop.example:8080', { headers: { 'x-forwarded-proto': 'https' } })).toMatchObject({
      host: 'shop.example:8080',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example:8080',
      'x-forwarded-port': String(httpPort),
    });
  });

  it('speaks HTTP/2 without TLS too', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    site.start();
    await answers('shop', 'shop.example');
    expect(await statusOverHttp2({ port: httpPort, host: 'shop.example' })).toBe(200);
  });

  it('takes a new host name without a reload where the service is there, and puts a worker right that was changed by hand', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    site.start();
    await answers('shop', 'shop.example');
    await serve('another', site.otherPort, 'mode=http');
    await site.reloadEnded(`another:${String(site.otherPort)}`);
    const worker = await site.worker();
    const { reloads } = (await site.ls()).haproxy;
    await serve('shop', site.port, 'http-host=shop.example,new.example');
    await answers('shop', 'new.example');
    await serve('shop', site.port, 'http-host=other.example&http-path=/x');
    await answers('shop', 'other.example', '/x');
    await answers('404', 'shop.example');
    expect(await site.worker()).toBe(worker);
    expect((await site.ls()).haproxy.reloads).toBe(reloads);

    const map = join(site.runDir, 'routes.map');
    await site.ask(`clear map ${map}`);
    await site.ask(`add map ${map} by.hand/ shop:${String(site.port)}`);
    await serve('shop', site.port, 'http-host=other.example');
    await answers('shop', 'other.example');
    await answers('404', 'by.hand');
  });

  it('goes on answering by a broader route until the listener of a new one is there', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    site.start({ RELOAD_INTERVAL: '4s' });
    await answers('shop', 'shop.example', '/api');
    await serve('other', site.otherPort, 'mode=http');
    await waitFor('a reload', async (seen) => seen((await site.ls()).haproxy.reloads) === 1);
    await serve('api', site.thirdPort, 'http-host=shop.example&http-path=/api');
    const got = new Set<string>();
    await waitFor('the new one', async () => {
      got.add(await answerTo('shop.example', '/api'));
      return got.has('api');
    });
    expect([...got]).toEqual(['shop', 'api']);
  });

  it('leads to services that share a port, of which one alone can have it', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    await serve('blog', site.port, 'http-host=blog.example');
    site.start();
    await answers('shop', 'shop.example');
    await answers('blog', 'blog.example');
    const { listeners, problems } = await site.ls();
    expect(listeners.find(({ service }) => service === 'blog')).toMatchObject({ port: null, routes: ['blog.example'] });
    expect(problems).toMatchObject([
      {
        key: `blog:${String(site.port)}`,
        reason: expect.stringContaining('it is served at the HTTP entrance alone') as string,
      },
    ]);
  });

  it('is the only way in where no port may be opened, and no registration can have its port', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    await serve('web', httpPort, 'http-host=web.example');
    await serve('thief', httpPort, 'mode=http');
    site.start({ PORTS: 'none' });
    await answers('shop', 'shop.example');
    await answers('web', 'web.example');
    expect(await site.get(site.port)).toBe('');
    expect((await site.ls()).problems).toEqual([
      { key: `thief:${String(httpPort)}`, reason: `port ${String(httpPort)} is reserved for the HTTP entrance` },
    ]);
  });

  it('leaves a host name with the service that has it', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    site.start();
    await answers('shop', 'shop.example');
    await serve('thief', site.otherPort, 'http-host=shop.example');
    await waitFor('the problem', async (seen) => seen((await site.ls()).problems).length > 0);
    expect((await site.ls()).problems).toEqual([
      { key: `thief:${String(site.otherPort)} at shop.example`, reason: 'it is held by service shop' },
    ]);
    expect(await answerTo('shop.example')).toBe('shop');
    await site.remove('shop/shop');
    expect(await site.stop()).toBe(0);
    // The name stays while its service lingers, over a restart too.
    site.start({ LINGER: '1s' });
    await answers('thief', 'shop.example');
  });

  it('opens when its port is free', async () => {
    const server = await listenOn(httpPort);
    await serve('shop', site.port, 'http-host=shop.example');
    site.start();
    await waitFor('the problem', async (seen) => seen((await site.ls().catch(() => null))?.problems ?? []).length > 0);
    expect((await site.ls()).problems).toMatchObject([
      {
        key: 'HTTP entrance',
        reason: expect.stringContaining('is taken by another process; free it, or set HTTP_BIND') as string,
      },
    ]);
    server.close();
    await answers('shop', 'shop.example');
  });
});

describe('the HTTPS entrance', () => {
  let shop: SelfSigned;
  let blog: SelfSigned;

  beforeAll(async () => {
    [shop, blog] = await Promise.all([selfSigned('shop.example'), selfSigned('blog.example')]);
  });

  const overTls = ({ certificate }: SelfSigned): Partial<Asked> => ({ port: httpsPort, ca: certificate });

  it('has the certificates of a directory, shows each for its name, speaks HTTP/2, and sends plain requests there', async () => {
    await writeFile(join(certs, 'shop.crt'), shop.certificate);
    await writeFile(join(certs, 'shop.key'), shop.key);
    await mkdir(join(certs, 'blog.example'));
    await writeFile(join(certs, 'blog.example', 'fullchain.pem'), blog.certificate);
    await writeFile(join(certs, 'blog.example', 'privkey.pem'), blog.key);
    await serve('shop', site.port, 'http-host=shop.example');
    await serve('blog', site.otherPort, 'http-host=blog.example');
    await serve('acme', site.thirdPort, 'http-path=/.well-known/acme-challenge');
    site.start(withTls());
    await answers('shop', 'shop.example', '/', overTls(shop));
    await answers('blog', 'blog.example', '/', overTls(blog));
    expect(await statusOverHttp2({ host: 'shop.example', port: httpsPort, ca: shop.certificate })).toBe(200);
    expect(await echoed('shop.example', overTls(shop))).toMatchObject({ 'x-forwarded-proto': 'https' });
    expect(await askAs({ port: httpPort, host: 'shop.example', path: '/a?b=c' })).toMatchObject({
      status: 308,
      location: `https://shop.example:${String(httpsPort)}/a?b=c`,
    });
    await answers('acme', 'new.example', '/.well-known/acme-challenge/x');
    const { code, output } = await site.run('render', '--check', ...tlsFlags());
    expect([code, output]).toEqual([0, 'HAProxy takes it, with 3 listeners\n']);
  });

  it('opens with the first certificate, follows renewals, and keeps the last good one', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    site.start({ ...withTls(), HTTPS_REDIRECT: 'no' });
    await answers('shop', 'shop.example');
    expect((await site.ls()).problems).toMatchObject([{ key: 'HTTPS entrance' }]);
    await writeFile(join(certs, 'shop.pem'), shop.certificate + shop.key);
    await answers('shop', 'shop.example', '/', overTls(shop));
    expect((await site.ls()).problems).toEqual([]);

    const renewed = await selfSigned('shop.example');
    await writeFile(join(certs, 'shop.pem'), renewed.certificate + renewed.key);
    await answers('shop', 'shop.example', '/', overTls(renewed));

    await writeFile(join(certs, 'shop.pem'), renewed.certificate + blog.key);
    await waitFor('the problem', async (seen) => seen((await site.ls()).problems).length > 0);
    expect((await site.ls()).problems).toMatchObject([
      {
        key: 'certificate shop.pem',
        reason: expect.stringMatching(/key values mismatch; the one before stands$/) as string,
      },
    ]);
    expect(await answerTo('shop.example', '/', overTls(renewed))).toBe('shop');
    // A reload in the meantime, and a crash, have the last good one too.
    await serve('blog', site.otherPort, 'http-host=blog.example');
    await answers('blog', 'blog.example');
    process.kill(await site.master(), 'SIGKILL');
    await answers('shop', 'shop.example', '/', overTls(renewed));
    await rm(join(certs, 'shop.pem'));
    await waitFor(
      'the end of HTTPS',
      async (seen) => seen(await answerTo('shop.example', '/', overTls(renewed)).catch(String)) !== 'shop',
    );
    await answers('shop', 'shop.example');
  });

  it('leaves out what it can not use, at the start too, and tells of each by its name', async () => {
    const weak = await signed({ names: ['weak.example'], kind: ['rsa:1024'], days: 2 });
    const old = await signed({ names: ['shop.example'], kind: ['rsa:2048'], days: -1 });
    for (const [name, text] of [
      ['a-old.pem', old.certificate + old.key],
      ['shop.pem', shop.certificate + shop.key],
      ['mixed.pem', weak.certificate + shop.key],
      ['weak.pem', weak.certificate + weak.key],
    ] as const)
      await writeFile(join(certs, name), text);
    await symlink('/nowhere/x', join(certs, 'dangling.pem'));
    await promisify(execFile)('mkfifo', [join(certs, 'pipe.pem')]);
    await serve('shop', site.port, 'http-host=shop.example');
    site.start({ ...withTls(), HTTPS_REDIRECT: 'no' });
    // The one that has expired is not shown beside one that has not.
    await answers('shop', 'shop.example', '/', overTls(shop));
    const problems = Object.fromEntries((await site.ls()).problems.map(({ key, reason }) => [key, reason]));
    expect(problems).toEqual({
      'certificate a-old.pem': expect.stringContaining('it has expired on ') as string,
      'certificate dangling.pem': expect.stringContaining("it can't be read: ENOENT") as string,
      'certificate mixed.pem': expect.stringMatching(/^(it can't be used with its key|HAProxy refuses it): /) as string,
      'certificate weak.pem': expect.stringMatching(/^HAProxy refuses it: .*key too small/) as string,
    });
    await writeFile(join(certs, 'blog.pem'), blog.certificate + blog.key);
    await serve('blog', site.otherPort, 'http-host=blog.example');
    await answers('blog', 'blog.example', '/', overTls(blog));
  });

  it('is closed alone where its directory can not be read', async () => {
    await serve('shop', site.port, 'http-host=shop.example');
    site.start({ ...withTls(), CERTS: join(site.dir, 'nowhere') });
    await answers('shop', 'shop.example');
    expect((await site.ls()).problems).toMatchObject([
      { key: 'HTTPS entrance' },
      { key: 'certificates', reason: expect.stringContaining('ENOENT') as string },
    ]);
    const { code, output } = await site.run('render', '--https-bind', '127.0.0.1:1', '--certs', '/nowhere');
    expect([code, output]).toEqual([2, expect.stringMatching(/^docker-discover: CERTS "\/nowhere": ENOENT/)]);
  });

  it('sends no request there that has no host name, and no other than those of certificate authorities stays', async () => {
    await writeFile(join(certs, 'shop.pem'), shop.certificate + shop.key);
    await serve('all', site.port, 'http-host=*');
    site.start(withTls());
    await answers('all', 'shop.example.', '/', overTls(shop));
    await waitFor('the redirect', async (seen) => seen(await answerTo('any.example')) === '308');
    expect(await answerTo('any.example', '/.well-known/acme-challenge/tok-en_1')).toBe('all');
    expect(await answerTo('any.example', '/.well-known/acme-challenge/../../api')).toBe('308');
  });

  const tlsFlags = (): string[] => ['--https-bind', `127.0.0.1:${String(httpsPort)}`, '--certs', certs];
});
