import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWindow, shoot, startBrowser } from '../lab/browser.js';
import { startDiscover, startRegister, startWhoami } from './support/pair.js';
import { useLab } from './support/use-lab.js';

const currentLab = useLab();
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const row = (page: Page, id: string): ReturnType<Page['locator']> => page.locator(`.row[data-id="${id}"]`);

it('a container that starts appears on the page that is open, a killed one goes red and then away; HAProxy’s own page shows it too', async () => {
  const lab = currentLab();
  const { client, backends } = lab;
  const [backend1, backend2] = backends;
  await startRegister(lab, backend1, '-e ZONE=east');
  await startRegister(lab, backend2, '-e ZONE=west');
  const port = (n: number): string => `-p :8000 -l SERVICE_PORT=${String(n)}`;
  const entrance = '-l SERVICE_HTTP_HOST=shop.example';
  await startWhoami(backend1, { image: 'shop', options: `${port(8080)} ${entrance}` });
  await startWhoami(backend2, { image: 'shop', options: `${port(8080)} ${entrance}` });
  await startWhoami(backend1, { image: 'mailer', options: port(2525) });
  // It claims the port of another.
  await startWhoami(backend2, { image: 'mailer-old', options: port(2525) });
  await startWhoami(backend1, { options: '-p :8000' });
  await startDiscover(lab, '-e STATUS_BIND=*:1937 -e HTTP_BIND=80');
  const [status, stats] = [await lab.forward(client, 1937), await lab.forward(client, 1936)];

  const look = { viewport: { width: 1280, height: 590 } };
  const { page, complaints } = await openWindow(browser, status.url, look);
  const own = await openWindow(browser, stats.url, look);
  await page.locator('#problem-list li').filter({ hasText: 'mailer' }).waitFor();
  await page.locator('#host').filter({ hasText: 'client' }).waitFor();
  const id = await startWhoami(backend2, { options: '-p :8000 --name whoami' });
  await row(page, id).filter({ hasText: /^up/ }).waitFor();
  await row(page, id).filter({ hasText: 'west' }).waitFor();
  // It refreshes itself every five seconds.
  await own.page.locator('tr.active_up').filter({ hasText: id }).waitFor();
  await shoot(own.page, 'readme-stats');
  await shoot(page, 'readme-status');

  await backend2.docker('kill', 'whoami');
  await row(page, id)
    .and(page.locator('.bad'))
    .filter({ hasText: /^(down|gone)/ })
    .waitFor();
  await shoot(page, 'killed');
  await row(page, id).waitFor({ state: 'detached' });
  await own.page.locator('tr').filter({ hasText: id }).waitFor({ state: 'detached' });
  expect(await page.evaluate('performance.getEntriesByType("navigation").length')).toBe(1);
  expect(complaints).toEqual([]);
});
