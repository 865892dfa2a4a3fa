import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPage, serveStatusPage } from '../../src/cli/status-page.js';
import type { PageUpdate } from '../../src/core/page-update.js';
import type { StatusFeed } from '../../src/daemon/status-feed.js';
import { hostile } from '../fuzz/texts.js';
import { openWindow, startBrowser } from '../lab/browser.js';
import { waitFor } from '../lab/wait-for.js';
import { recordingLog } from '../unit/support/log.js';
import { freePorts } from './support/free-ports.js';

const seed = Date.now() % 2 ** 31;
const updates = 100;
const listenersOfEach = 20;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
}, 120_000);
afterAll(() => browser.close());

/** Grammars keep such texts out before they come here; the page is to hold without them. */
const hostileText = hostile(
  fc.constantFrom(
    '<script>ran = true</script>',
    '<img src=x onerror="ran = true">',
    '"><svg onload="ran = true">',
    'javascript:ran=true',
    '</li></ul><iframe src="//evil.example">',
    'x',
  ),
);
const kinds = ['refused', 'forbidden', 'conflicting', 'rejected', 'barred', 'certificate'] as const;

/** All that the page can be told, with texts of this kind. */
function stateWith(text: fc.Arbitrary<string>) {
  const listener = fc.record({
    name: text,
    service: text,
    port: fc.constantFrom(null, 80),
    routes: fc.array(text, { maxLength: 2 }),
    check: fc.option(
      fc.record({
        kind: fc.constant('http' as const),
        intervalMs: fc.constant(2_000),
        deadWithinMs: fc.constant(1),
        frozenWithinMs: fc.constant(null),
        text,
      }),
    ),
    endpoints: fc.array(
      fc.record({
        id: text,
        address: text,
        weight: fc.constant(1),
        zone: fc.option(text),
        status: fc.oneof(text, fc.constantFrom('UP', 'DOWN', 'MAINT')),
        checkText: text,
        sinceMs: fc.constantFrom(null, 1),
        sessions: fc.constant(0),
        stale: fc.boolean(),
      }),
      { maxLength: 2 },
    ),
  });
  const change = fc.record({ kind: fc.constantFrom('start', 'reload', 'change', 'run'), what: text, at: text });
  return fc.record({
    listeners: fc.array(listener, { minLength: listenersOfEach, maxLength: listenersOfEach }),
    problems: fc.array(fc.record({ kind: fc.constantFrom(...kinds), key: text, reason: text }), { maxLength: 5 }),
    changes: fc.array(change, { maxLength: 3 }),
    host: text,
    fault: fc.option(text),
    silence: fc.option(text),
    path: fc.option(text),
  });
}
type State = ReturnType<typeof stateWith> extends fc.Arbitrary<infer T> ? T : never;

function updateOf({ listeners, problems, changes, host, fault, silence, path }: State, version: string): PageUpdate {
  const haproxy = { running: true, workerPid: 1, silence, reloads: 1, runtimeChanges: 1, lastReload: null };
  const output = path === null ? null : { path, runs: 1, lastRun: null };
  const counts = {
    refused: 0,
    forbidden: 0,
    conflicting: 0,
    rejected: problems.length,
    barred: 0,
    certificate: 0,
    limit: 0,
  };
  return {
    nowMs: Date.now(),
    isWhole: true,
    head: { host, version, statsPort: 1936, catalog: 'live', revision: 1, fault, haproxy, output },
    problems: { counts, shown: problems },
    changes,
    listeners,
  };
}

/** Names of elements and of their attributes, and where they lead to. */
const made = `[...new Set([...document.querySelectorAll('*')].flatMap((node) =>
  [node.localName, ...[...node.attributes].map(({ name, value }) =>
    node.localName + '@' + name + (/^(?:src|href|srcdoc|action|on.*)$/.test(name) ? '=' + value : ''))]))].sort()`;

it('two thousand hostile states run nothing, and make no element and no attribute that a harmless one does not', async () => {
  const [port = 0] = await freePorts(1);
  const end = new AbortController();
  let [told, wake] = [null as PageUpdate | null, (): void => undefined];
  const feed: StatusFeed = {
    async *follow(signal) {
      while (!signal.aborted) {
        const next = new Promise<void>((resolve) => (wake = resolve));
        if (told !== null) yield told;
        await next;
      }
    },
    isFull: () => false,
    run: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve();
        });
      }),
  };
  const bind = { host: '127.0.0.1', port };
  const served = serveStatusPage({ bind, files: await readPage(), feed, log: recordingLog().log }, end.signal);
  const url = `http://127.0.0.1:${String(port)}/`;
  await waitFor('the page', async () => (await fetch(url).catch(() => null))?.status === 200);
  // The policy of the page would stop a script that came in; there must be none to stop.
  const { page, complaints } = await openWindow(browser, url, { bypassCSP: true });
  await page.evaluate('window.ran = false');

  const show = async (update: PageUpdate): Promise<string[]> => {
    told = update;
    wake();
    const version = `docker-discover ${update.head?.version ?? ''}`;
    await page.waitForFunction(`document.getElementById('about').textContent === ${JSON.stringify(version)}`);
    return page.evaluate<string[]>(made);
  };
  const samples = fc.sample(stateWith(fc.stringMatching(/^[a-z]{8}$/)), { seed: 1, numRuns: 12 });
  // Of what may be there or not, both are known, whatever the samples happen to have.
  const harmless = [...samples, ...samples.slice(0, 1).map((one) => ({ ...one, problems: [], changes: [] }))];
  const known = new Set<string>();
  for (const [n, one] of harmless.entries())
    for (const name of await show(updateOf(one, `harmless-${String(n)}`))) known.add(name);

  for (const [n, one] of fc.sample(stateWith(hostileText), { seed, numRuns: updates }).entries()) {
    const strays = (await show(updateOf(one, String(n)))).filter((name) => !known.has(name));
    expect(strays, `seed ${String(seed)}, update ${String(n)}`).toEqual([]);
    expect(await page.evaluate('window.ran')).toBe(false);
  }
  expect(complaints).toEqual([]);
  end.abort();
  wake();
  await served;
  await page.context().close();
}, 300_000);
