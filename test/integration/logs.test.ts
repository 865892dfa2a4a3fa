import { request } from 'node:http';
import { beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const stand = useStand();
let site: Site;
let a: BackEnd;
let b: BackEnd;

beforeEach(async () => {
  [a, b] = [await stand.backEnd('a'), await stand.backEnd('b')];
  site = await stand.site();
});

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly from?: string;
  readonly [field: string]: unknown;
}

/** Every line of the log is JSON, whoever had something to say. */
function lines(): Line[] {
  const whole = site.output().split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as Line);
}

const ofHaproxy = (message: string): Line[] => lines().filter(({ from, msg }) => from === 'haproxy' && msg === message);

/** A request with a path and a header that a client should not have sent. */
function ask(path: string, id: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request({ port: site.port, path, headers: { 'X-Request-ID': id } }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
    asking.on('error', reject).end();
  });
}

it('what HAProxy says is in the same form: what went down, why, and what is left', async () => {
  await site.put('web/a', `${a.address}?port=${String(site.port)}`);
  await site.put('web/b', `${b.address}?port=${String(site.port)}`);
  site.start();
  await site.answers(site.port, 'a', 'b');
  await a.close();
  await waitFor('the line', () => ofHaproxy('a server is down').length > 0);
  const listener = `web:${String(site.port)}`;
  expect(ofHaproxy('a server is down')).toMatchObject([
    { level: 'warn', listener, server: 'a', state: 'DOWN', active: 1, backup: 0 },
  ]);
  await b.close();
  await waitFor('the end', () => ofHaproxy('a listener has no server that is up').length > 0);
  expect(ofHaproxy('a listener has no server that is up')).toMatchObject([{ level: 'warn', listener }]);
  [a, b] = [await stand.backEnd('a'), await stand.backEnd('b')];
});

it('single requests are not logged', async () => {
  await site.put('web/a', `${a.address}?port=${String(site.port)}&mode=http`);
  site.start();
  await site.answers(site.port, 'a');
  expect(site.output()).not.toContain('"msg":"request"');
});

it('with ACCESS_LOG each is a line, without its query, and nobody can forge one', async () => {
  await site.put('web/a', `${a.address}?port=${String(site.port)}&mode=http`);
  await site.put('db/b', `${b.address}?port=${String(site.otherPort)}`);
  site.start({ ACCESS_LOG: 'yes' });
  await site.answers(site.port, 'a');
  await site.answers(site.otherPort, 'b');
  expect(await ask('/x/%0a{"level":"error"}]"?secret=hunter2', 'id-1')).toBe(200);
  expect(await ask('/y', 'not an id {"x":1}')).toBe(200);
  // As HAProxy writes it, with what has a meaning in logs as hex digits.
  const odd = '/x/%0a{#22level#22:#22error#22}]#22';
  const found = (path: string): Line | undefined => ofHaproxy('request').find((line) => line['path'] === path);
  await waitFor('both', () => found('/y') !== undefined && found(odd) !== undefined);
  expect(found(odd)).toMatchObject({
    level: 'info',
    listener: `web:${String(site.port)}`,
    server: 'a',
    method: 'GET',
    status: 200,
    requestId: 'id-1',
    termination: '--',
  });
  expect(found('/y')).not.toHaveProperty('requestId');
  expect(ofHaproxy('connection')[0]).toMatchObject({ listener: `db:${String(site.otherPort)}`, server: 'b' });
  expect(site.output()).not.toContain('hunter2');
  // The stats page is no service.
  await fetch(`http://127.0.0.1:${String(site.statsPort)}/metrics`);
  await ask('/last', 'id-2');
  await waitFor('the last', () => found('/last') !== undefined);
  expect(ofHaproxy('request').some((line) => line['listener'] === 'stats' || line['frontend'] === 'stats')).toBe(false);
});

it('a start, a reload beside a dead server and a stop are no warnings, with ACCESS_LOG too', async () => {
  await site.put('web/a', `${a.address}?port=${String(site.port)}&mode=http`);
  await site.put('web/b', `${b.address}?port=${String(site.port)}`);
  site.start({ ACCESS_LOG: 'yes' });
  await site.answers(site.port, 'a', 'b');
  await b.close();
  await waitFor('the check', () => ofHaproxy('a server is down').length > 0);
  // The new worker repeats the state of each server that it took over.
  const c = await startBackEnd('c');
  await site.put('db/c', `${c.address}?port=${String(site.otherPort)}`);
  await site.answers(site.otherPort, 'c');
  await site.reloadEnded(`db:${String(site.otherPort)}`);
  expect(await site.stop()).toBe(0);
  const warnings = lines().filter(({ level }) => level === 'warn' || level === 'error');
  expect(new Set(warnings.map(({ msg }) => msg))).toEqual(new Set(['a server is down']));
  for (const { listener, server } of warnings) expect([listener, server]).toEqual([`web:${String(site.port)}`, 'b']);
  await c.close();
  b = await startBackEnd('b');
});
