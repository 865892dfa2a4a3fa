import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const stand = useStand();
let site: Site;
let a: BackEnd;

/** Larger than what is special, so that it is as without a setting. */
const all = '0.0.0.0/0,::/0';
const why = {
  loopback: / is loopback \(127\.0\.0\.0\/8\), where this host uses no endpoint; .* allow the network in NETWORKS$/,
  linkLocal: /^169\.254\.169\.254 is link-local.* \(169\.254\.0\.0\/16\)/,
};

beforeEach(async () => {
  a = await stand.backEnd('a');
  site = await stand.site({ env: { NETWORKS: '127.0.0.1' } });
});

const valueOf = (address: string): string => `${address}?port=${String(site.port)}`;

async function problems(): Promise<Record<string, string>> {
  const { problems: told } = await site.lsJson();
  return Object.fromEntries(told.map(({ key, reason }) => [key.replace(/^.*\/(?=web|cloud)/, ''), reason]));
}

it('an endpoint at the metadata of a cloud, or on loopback, is in no pool, and is told of everywhere', async () => {
  await site.put('cloud/m', `169.254.169.254:80?port=${String(site.otherPort)}`);
  await site.put('web/own', valueOf('127.0.0.2:22'));
  await site.put('web/a', valueOf(a.address));
  site.start({ METRICS_BIND: `127.0.0.1:${String(site.thirdPort)}` });
  await site.answers(site.port, 'a');

  const { listeners } = await site.lsJson();
  expect(listeners).toMatchObject([{ service: 'web', endpoints: [{ id: 'a' }] }]);
  expect(await problems()).toMatchObject({
    'cloud/m': expect.stringMatching(why.linkLocal) as unknown,
    'web/own': expect.stringMatching(/^127\.0\.0\.2 is loopback/) as unknown,
  });
  expect(await site.ask('show servers state')).not.toMatch(/169\.254|127\.0\.0\.2/);
  const explained = await site.run('explain', 'cloud');
  expect(explained.output).toMatch(/cloud is not served on this host[^]*\/cloud\/m: 169\.254\.169\.254 is link-local/);
  const metrics = await (await fetch(`http://127.0.0.1:${String(site.thirdPort)}/metrics`)).text();
  expect(metrics).toContain('docker_discover_not_served{reason="forbidden"} 2\n');
  expect(site.told('not served')).toBe(2);

  // Over the runtime API too.
  await site.put('web/b', valueOf('127.0.0.3:22'));
  await waitFor('the new one to be told of', async () => 'web/b' in (await problems()));
  expect(await site.ask('show servers state')).not.toContain('127.0.0.3');
  await site.remove('web/b');
  await waitFor('its end to be told of', () => site.told('no longer a problem') === 1);
});

it('the last known good state is not served against the networks of now', async () => {
  await site.put('web/a', valueOf(a.address));
  site.start();
  await site.answers(site.port, 'a');
  // A worker serves before its reload is over, and what it took is saved then.
  await site.ready();
  expect(await site.stop()).toBe(0);
  await stand.etcd.kill();
  try {
    site.start({ NETWORKS: all });
    await waitFor('the state to be restored', async () => 'web/a' in (await site.ls().then(problems, () => ({}))));
    expect((await problems())['web/a']).toMatch(why.loopback);
    // It is told before HAProxy has started.
    await waitFor('HAProxy to run', async (seen) => seen(await site.ls()).haproxy.workerPid !== null);
    expect(await site.ask('show servers state')).not.toContain('127.0.0.1');
  } finally {
    await stand.etcd.start();
  }
});

it('nor is it rendered, for a look or for another proxy', async () => {
  const template = join(site.dir, 'template');
  const output = join(site.dir, 'output');
  await writeFile(template, '{{#listeners}}{{#servers}}{{address}}\n{{/servers}}{{/listeners}}end\n');
  await site.put('web/a', valueOf(a.address));
  await site.put('web/b', valueOf('169.254.169.254:80'));
  await site.put('web/c', valueOf('10.0.0.1:80'));
  const env = { NETWORKS: `127.0.0.0/8,${all}`, TEMPLATE: template, OUTPUT: output, EXEC: 'cat "$FILE"' };
  site.start(env);
  await waitFor('the file', async () => (await site.ls().catch(() => null))?.output?.runs === 1);
  expect((await site.ls()).problems.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(why.linkLocal) as unknown,
  ]);
  const rendered = await site.run('render', '--template', template, '--networks', all);
  expect(rendered.output).toMatch(/^10\.0\.0\.1:80\nend\n/m);
  expect(rendered.output).toMatch(/not served: ".*\/web\/a": 127\.0\.0\.1 is loopback/);
  expect(rendered.output).toMatch(/not served: ".*\/web\/b": 169\.254/);
});
