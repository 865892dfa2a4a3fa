import { join } from 'node:path';
import { rm, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { Echo } from './support/echo.js';
import { freePorts } from './support/free-ports.js';
import { askAs } from './support/http.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';
import { builtInWith, examples, writeTemplates } from './support/templates.js';

const stand = useStand();
let site: Site;
/** By the name of the service. */
const echoes = new Map<string, Echo>();

beforeEach(async () => {
  for (const service of ['shop', 'blog', 'db']) echoes.set(service, await stand.echo(service));
  site = await stand.site();
});

const addressOf = (service: string): string => echoes.get(service)?.address ?? '';
const put = (service: string, port: number, attributes = ''): Promise<void> =>
  site.put(`${service}/a`, `${addressOf(service)}?port=${String(port)}${attributes}`);

async function statusOf(port: number, path = '/'): Promise<number> {
  return (await askAs({ port, host: 'any.example', path }).catch(() => ({ status: 0 }))).status;
}

async function serves(port: number): Promise<void> {
  await waitFor(`port ${String(port)} to answer`, async (seen) => seen(await statusOf(port)) === 200);
}

describe('a directory of templates', () => {
  it('has parts in the place of built-in ones, and sections of single services', async () => {
    await put('shop', site.port, '&mode=http');
    await put('blog', site.otherPort, '&mode=http');
    const shop = `listen {{name}}\n{{#binds}}\n    bind {{bind}}\n{{/binds}}\n    mode http\n    http-request return status 418 if { path /tea }\n{{#servers}}\n{{> server}}\n{{/servers}}\n`;
    const listener = await builtInWith(
      'listener',
      '    mode {{mode}}\n',
      '    mode {{mode}}\n    http-response set-header X-Mine yes\n',
    );
    site.start({ TEMPLATE: await writeTemplates(site.dir, { 'services/shop': shop, listener }) });
    await serves(site.port);
    await serves(site.otherPort);
    expect([await statusOf(site.port, '/tea'), await statusOf(site.otherPort, '/tea')]).toEqual([418, 200]);
    const answer = await fetch(`http://127.0.0.1:${String(site.otherPort)}/`);
    expect(answer.headers.get('x-mine')).toBe('yes');

    // Endpoints come without a reload there too.
    await put('db', site.thirdPort);
    await site.reloadEnded(`db:${String(site.thirdPort)}`);
    const { reloads } = (await site.ls()).haproxy;
    await site.put(
      'shop/b',
      `${addressOf('shop').replace('127.0.0.1', '127.0.0.2')}?port=${String(site.port)}&mode=http`,
    );
    await waitFor(
      'the endpoint',
      async (seen) =>
        seen((await site.ls()).listeners.flatMap(({ endpoints }) => endpoints)).filter(
          ({ status }) => status !== 'not loaded',
        ).length === 4,
    );
    expect((await site.ls()).haproxy.reloads).toBe(reloads);
  });

  it('costs a service that HAProxy refuses for its own section, and nobody else; SIGHUP reads it anew', async () => {
    await put('shop', site.port);
    await put('blog', site.otherPort);
    const directory = await writeTemplates(site.dir, { 'services/shop': '{{section}} {{name}}\n    frobnicate\n' });
    const { code, output } = await site.run('render', '--check', '--template', directory);
    expect([code, output]).toEqual([
      2,
      expect.stringContaining(`shop:${String(site.port)}: unknown keyword 'frobnicate'`),
    ]);
    site.start({ TEMPLATE: directory });
    await serves(site.otherPort);
    await waitFor('the problem', async (seen) => seen((await site.ls()).problems).length > 0);
    expect((await site.ls()).problems).toEqual([
      { key: `shop:${String(site.port)}`, reason: expect.stringContaining("unknown keyword 'frobnicate'") as string },
    ]);
    await rm(join(directory, 'services'), { recursive: true });
    await writeFile(
      join(directory, 'listener.mustache'),
      await builtInWith('listener', '    balance', '    # mine\n    balance'),
    );
    site.hangUp();
    await serves(site.port);
    await waitFor('no problem', async (seen) => seen((await site.ls()).problems).length === 0);
  });

  it.each([
    [
      'a part that is not there',
      { 'haproxy.cfg': '{{> globel}}\n' },
      'there is no partial globel: there are access-log, defaults, entrance, global, listener, server, stats',
    ],
    [
      'nothing that could be one',
      {},
      'is a directory without a file that ends in .mustache, such as listener.mustache',
    ],
  ])('with %s is refused at the start', async (_what, texts, mend) => {
    const directory = Object.keys(texts).length === 0 ? site.dir : await writeTemplates(site.dir, texts);
    const { code, output } = await site.run('--template', directory);
    expect([code, output]).toEqual([2, expect.stringContaining(mend)]);
  });
});

describe('the example', () => {
  it('access-log has a line for every request', async () => {
    await put('shop', site.port, '&mode=http');
    await put('db', site.otherPort);
    site.start({ TEMPLATE: join(examples, 'access-log') });
    await serves(site.port);
    await serves(site.otherPort);
    expect(await statusOf(site.port, '/asked-for')).toBe(200);
    await waitFor('the lines', (seen) => {
      const output = seen(site.output());
      return output.includes('GET /asked-for HTTP/1.1') && output.includes(`db:${String(site.otherPort)}/a`);
    });
  });

  it('one-service limits its clients, and hides its health page', async () => {
    await put('shop', site.port, '&mode=http');
    await put('blog', site.otherPort, '&mode=http');
    site.start({ TEMPLATE: join(examples, 'one-service') });
    await serves(site.port);
    await serves(site.otherPort);
    expect([await statusOf(site.port, '/healthz'), await statusOf(site.otherPort, '/healthz')]).toEqual([404, 200]);
    const statuses: number[] = [];
    for (let n = 0; n < 25; n += 1) statuses.push(await statusOf(site.port));
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
  });

  it('tls-passthrough is taken by HAProxy', async () => {
    await put('shop', site.port);
    await put('db', site.otherPort);
    const { code, output } = await site.run('render', '--check', '--template', join(examples, 'tls-passthrough'));
    expect([code, output]).toEqual([0, 'HAProxy takes it, with 2 listeners\n']);
    expect((await site.run('render', '--template', join(examples, 'tls-passthrough'))).output).toContain(
      `use_backend shop:${String(site.port)} if { req.ssl_sni -i shop.example.org }`,
    );
  });

  it.each(['access-log', 'one-service', 'tls-passthrough'])(
    '%s is taken with everything that there is',
    async (name) => {
      const [http = 0] = await freePorts(1);
      await put('shop', site.port, '&http-host=shop.example&check=/healthz&sticky=cookie&balance=uri&check-status=200');
      await put('db', site.otherPort, '&weight=3&maxconn=5&proxy-protocol=v2&slow-start=5s&backup=yes&balance=source');
      const flags = ['--template', join(examples, name), '--http-bind', String(http), '--stats-auth', 'a:b'];
      const { code, output } = await site.run('render', '--check', ...flags);
      expect([code, output]).toEqual([0, 'HAProxy takes it, with 2 listeners\n']);
    },
  );
});
