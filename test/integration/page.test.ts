import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openWindow, shoot, startBrowser, type Window } from '../lab/browser.js';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { closed, freePorts, listenOn } from './support/free-ports.js';
import { createSite, type Site } from './support/site.js';

let binary: string;
let etcd: TestEtcd;
let browser: Browser;
let site: Site;
let a: BackEnd;
let b: BackEnd;
let pagePort: number;
let url: string;
let windows: Window[];

beforeAll(async () => {
  [binary, etcd, browser] = await Promise.all([haproxyPath(console.log), startEtcd(), startBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser.close();
  await etcd.dispose();
});
beforeEach(async () => {
  windows = [];
  [a, b] = await Promise.all([startBackEnd('a'), startBackEnd('b')]);
  const ports = await freePorts(5);
  pagePort = ports[4] ?? 0;
  url = `http://127.0.0.1:${String(pagePort)}/`;
  site = await createSite({ etcd, binary, ports, env: { STATUS_BIND: `127.0.0.1:${String(pagePort)}` } });
});
afterEach(async () => {
  await Promise.all(windows.map(({ page }) => page.context().close()));
  await site.dispose();
  await Promise.all([a.close(), b.close()]);
});

async function start(): Promise<void> {
  site.start();
  await waitFor('the page', async () => (await fetch(url).catch(() => null))?.status === 200);
}

async function open(look: Parameters<typeof openWindow>[2] = {}): Promise<Page> {
  const window = await openWindow(browser, url, look);
  windows.push(window);
  return window.page;
}

const complaints = (): string[] => windows.flatMap((window) => window.complaints);
const valueOf = (one: BackEnd, more = ''): string => `${one.address}?port=${String(site.port)}${more}`;
const endpoint = (page: Page, id: string): Locator => page.locator(`.row[data-id="${id}"]`);
const isShown = (locator: Locator): Promise<void> => locator.waitFor({ state: 'visible' });
const isGone = (locator: Locator): Promise<void> => locator.waitFor({ state: 'detached' });
const says = (page: Page, id: string, text: string): Promise<void> =>
  isShown(page.locator(`#${id}`).filter({ hasText: text }));

describe('the status page', () => {
  it('shows what comes, how it is, and what goes, without being loaded again', async () => {
    await start();
    const page = await open();
    await says(page, 'empty', 'No service is registered.');
    await says(page, 'contact', 'live');
    // A listener that is there when HAProxy starts is no change.
    await says(page, 'tile-haproxy', 'HAProxy worker');
    await says(page, 'tile-etcd', 'live');
    await site.put('web/one', valueOf(a, '&zone=east&weight=3'));
    // Not `up 1/2`: its first check has passed.
    await isShown(endpoint(page, 'one').filter({ hasText: /^up/ }).filter({ hasText: 'Layer4 check passed' }));
    const text = await endpoint(page, 'one').innerText();
    expect(text.split('\n').map((line) => line.trim())).toEqual(
      ['up', 'address', a.address, 'id', 'one', 'zone', 'east', 'weight', '3', 'sessions', '0'].concat(
        'since',
        expect.stringMatching(/^\d+ s$/) as string,
        'last check',
        'Layer4 check passed',
      ),
    );
    await says(page, 'tile-up', '1 up');
    await site.put('web/two', valueOf(b));
    await isShown(endpoint(page, 'two').filter({ hasText: /^up/ }));
    await says(page, 'change-list', `web:${String(site.port)}: two at ${b.address} added`);
    await says(page, 'change-list', `listen web:${String(site.port)} added`);
    // It listens no longer: HAProxy's checks find out.
    await b.close();
    await isShown(endpoint(page, 'two').filter({ hasText: /^down/ }).and(page.locator('.bad')));
    await isShown(endpoint(page, 'two').filter({ hasText: 'Connection refused' }));
    await page.waitForFunction("document.title.startsWith('1 down')");
    await shoot(page, 'down');
    await site.remove('web/two');
    await isGone(endpoint(page, 'two'));
    await site.remove('web/one');
    await isShown(endpoint(page, 'one').filter({ hasText: /^gone/ }).and(page.locator('.bad')));
    await isGone(endpoint(page, 'one'));
    await says(page, 'services', 'no endpoint');
    expect(await page.evaluate('performance.getEntriesByType("navigation").length')).toBe(1);
    expect(complaints()).toEqual([]);
  });

  it('tells what is not served and why, and nothing that stands in etcd becomes markup', async () => {
    await start();
    const evil = '<img src=x onerror=alert(1)>';
    await site.put('web/one', valueOf(a));
    await site.put('web/tagged', valueOf(b, `&tags=${encodeURIComponent(evil)}`));
    await site.put(`${evil}/x`, a.address);
    await site.put(`web/${evil}`, evil);
    await site.put('web/late', valueOf(a));
    const page = await open();
    await isShown(page.locator('#problem-list li').filter({ hasText: 'conflicting' }));
    await says(page, 'problem-list', `"${evil}" is not a service name`);
    await says(page, 'problems', evil);
    expect(await page.locator('body img').count()).toBe(1);
    expect(await page.locator('#problem-list li').filter({ hasText: 'rejected' }).count()).toBe(3);
    await shoot(page, 'hostile');
    expect(complaints()).toEqual([]);
  });

  it('shows what is stale, and that etcd is away', async () => {
    await start();
    const page = await open();
    await says(page, 'tile-etcd', 'live');
    const lease = etcd.client.lease(1, { autoKeepAlive: false });
    await lease
      .put(`/site-${String(site.port)}/web/one`)
      .value(valueOf(a))
      .exec();
    await isShown(endpoint(page, 'one').filter({ hasText: 'stale' }));
    await says(page, 'tile-stale', '1 stale');
    await etcd.kill();
    try {
      await says(page, 'banners', 'etcd does not answer.');
      await says(page, 'tile-etcd', 'last known good');
    } finally {
      await etcd.start();
    }
    await says(page, 'tile-etcd', 'live');
    expect(await page.locator('#banners').innerText()).toBe('');
  });

  it('says that it lost contact, and goes on when the daemon is back', async () => {
    await start();
    await site.put('web/one', valueOf(a));
    const page = await open();
    await isShown(endpoint(page, 'one'));
    expect(await site.stop()).toBe(0);
    await says(page, 'banners', 'Contact with docker-discover is lost.');
    await says(page, 'contact', 'no contact for');
    await isShown(endpoint(page, 'one'));
    await shoot(page, 'lost');
    await start();
    await says(page, 'contact', 'live');
    await site.put('web/two', valueOf(b));
    await isShown(endpoint(page, 'two'));
  });

  it('finds one of many, by words and by state, from the keyboard', async () => {
    await start();
    // etcd waits for its disk with each, and not with each of many at a time.
    for (let first = 0; first < 1_000; first += 100)
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => first + i).map((n) =>
          site.put(`web/n${String(n)}`, `127.0.1.${String(n % 250)}:${String(20_000 + n)}?port=${String(site.port)}`),
        ),
      );
    await site.put('shop/good', `${a.address}?port=${String(site.thirdPort)}`);
    const page = await open();
    const rows = page.locator('#services .row');
    await waitFor('all of them', async (seen) => seen(await rows.count()) >= 1_001);
    await says(page, 'tile-up', 'of 1,00');
    // All at once, by checks.
    await waitFor('the others to be down', async (seen) => seen(await page.locator('.row.bad').count()) === 1_000);
    await page.locator('#tile-up').focus();
    await page.keyboard.press('Enter');
    await waitFor('the one that is up', async (seen) => seen(await rows.count()) === 1);
    await isShown(endpoint(page, 'good'));
    await page.keyboard.press('Enter');
    await page.locator('#filter').fill('n99 ');
    await waitFor('those that are called so', async (seen) => seen(await rows.count()) === 11);
    await page.locator('#filter').fill('nobody');
    await says(page, 'empty', 'Nothing fits the filter.');
    await page.locator('#filter').fill('');
    await waitFor('all of them', async (seen) => seen(await rows.count()) >= 1_001);
    expect(complaints()).toEqual([]);
  });

  const desktop = { width: 1280, height: 860 };
  it.each([
    ['light', { colorScheme: 'light', viewport: desktop }],
    ['dark', { colorScheme: 'dark', viewport: desktop }],
    ['phone', { colorScheme: 'light', viewport: { width: 320, height: 700 }, hasTouch: true }],
  ] as const)('fits the screen: %s', async (name, look) => {
    await start();
    await site.put('web/one', valueOf(a, `&http-host=${'long.'.repeat(20)}example`));
    await site.put('web/bad', `nonsense${'x'.repeat(300)}`);
    const page = await open(look);
    await isShown(endpoint(page, 'one').filter({ hasText: /^up/ }));
    await isShown(page.locator('#problem-list li'));
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(look.viewport.width);
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(ground).toBe(look.colorScheme === 'dark' ? 'rgb(14, 18, 22)' : 'rgb(244, 246, 248)');
    await shoot(page, name);
  });
});

describe('the port of the status page', () => {
  it('costs the page alone where another process has it, until it is free', async () => {
    const other = await listenOn(pagePort);
    site.start();
    await site.put('web/one', valueOf(a));
    await site.answers(site.port, 'a');
    await waitFor('the error', () => site.output().includes('status page on 127.0.0.1'));
    await closed(other);
    await isShown(endpoint(await waitForPage(), 'one'));
  });

  it('is open to forty at a time; those who do not read hold nobody up, and not the end either', async () => {
    await start();
    const gone = new AbortController();
    // Their bodies are not read. They are kept here because fetch ends a response that is garbage.
    const kept: Response[] = [];
    const ask = async (): Promise<number> => {
      const response = await fetch(`${url}events`, { signal: gone.signal });
      kept.push(response);
      return response.status;
    };
    const page = await open();
    await says(page, 'contact', 'live');
    expect(new Set(await Promise.all(Array.from({ length: 39 }, ask)))).toEqual(new Set([200]));
    expect(await ask()).toBe(503);
    await site.put('web/one', valueOf(a));
    await isShown(endpoint(page, 'one'));
    gone.abort();
    const again = new AbortController();
    await waitFor('a place', async (seen) => {
      return seen((await fetch(`${url}events`, { signal: again.signal })).status) === 200;
    });
    expect(await site.stop()).toBe(0);
    again.abort();
  });

  it('is given to no service', async () => {
    await start();
    await site.put('web/one', `${a.address}?port=${String(pagePort)}`);
    await says(await open(), 'problem-list', `port ${String(pagePort)} is`);
    expect((await fetch(url)).headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

async function waitForPage(): Promise<Page> {
  await waitFor('the page', async () => (await fetch(url).catch(() => null))?.status === 200);
  return open();
}

it('a page for another proxy shows what is registered, and when it was told', async () => {
  const file = `${site.dir}/proxy.conf`;
  const template = new URL('../../templates/examples/nginx/nginx.conf.mustache', import.meta.url).pathname;
  site.start({ EXEC: 'true', OUTPUT: file, TEMPLATE: template });
  await site.put('web/one', valueOf(a));
  const page = await waitForPage();
  await isShown(endpoint(page, 'one').filter({ hasText: /^registered/ }));
  await says(page, 'tile-haproxy', 'told');
  await says(page, 'change-list', `${file} changed`);
  expect(await page.locator('#stats').isVisible()).toBe(false);
  expect(complaints()).toEqual([]);
});

it('HAProxy’s own page shows the same', async () => {
  await start();
  await site.put('web/one', valueOf(a));
  await site.answers(site.port, 'a');
  const { page } = await openWindow(browser, `http://127.0.0.1:${String(site.statsPort)}/`);
  await isShown(page.locator('tr.active_up').filter({ hasText: 'one' }));
  await shoot(page, 'stats');
  await page.context().close();
});
