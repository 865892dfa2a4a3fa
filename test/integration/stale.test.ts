import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { EndpointStatus } from '../../src/core/discover-status.js';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const signal = new AbortController().signal;
const stand = useStand();
let a: BackEnd;
let b: BackEnd;
let site: Site;

beforeEach(async () => {
  [a, b] = [await stand.backEnd('a'), await stand.backEnd('b')];
  // As it is for a user: the watch is to tell what happens, and not the poll.
  site = await stand.site({ prefix: '/backends', env: { POLL: '5s' } });
});

/** Registers as a docker-register does; returns the lease. To revoke it is to etcd what its end is, only sooner. */
async function register(id: string, address: string, ttlMs = 3_600_000): Promise<string> {
  const lease = await stand.etcd.registry.grantLease(ttlMs, signal);
  const puts = [{ key: `/backends/web/${id}`, value: `${address}?port=${String(site.port)}` }];
  await stand.etcd.registry.apply({ puts, deletes: [] }, lease, signal);
  return lease;
}

async function endpoints(): Promise<readonly EndpointStatus[]> {
  return (await site.lsJson()).listeners.flatMap((listener) => listener.endpoints);
}

const standing = (what: string, expected: string, seconds = 30): Promise<unknown> =>
  waitFor(
    what,
    async (seen) =>
      seen(
        (await endpoints()).map(({ id, stale, status }) => `${id}${stale ? ' stale' : ''} ${status}`).join(),
      ).startsWith(expected),
    { timeoutMs: seconds * 1_000 },
  );

async function staleEndpoint(): Promise<void> {
  const lease = await register('a', a.address);
  await standing('the endpoint', 'a UP');
  await stand.etcd.registry.revoke(lease, signal);
  await standing('it to be stale', 'a stale UP');
}

it('an endpoint whose registration expired goes on being served, until its health checks fail', async () => {
  site.start({ METRICS_BIND: `127.0.0.1:${String(site.thirdPort)}` });
  await waitFor('etcd to be followed', async () => (await site.lsJson()).catalog === 'live');
  await register('a', a.address, 2_000);
  await waitFor('its key to expire', async () => (await stand.etcd.registry.list(signal)).entries.length === 0);
  await standing('it to be stale', 'a stale UP');
  expect(await site.get(site.port)).toBe('a');
  const table = await site.run('ls');
  expect(table.output).toContain('stale: 1 endpoint whose registrations expired without a withdrawal');
  expect(table.output).toMatch(/ a +UP \(stale\) /);
  const metrics = await fetch(`http://127.0.0.1:${String(site.thirdPort)}/metrics`);
  expect(await metrics.text()).toMatch(/^docker_discover_stale_endpoints 1$/m);
  await a.close();
  await standing('the checks to find it dead', 'a stale DOWN');
});

it('one that is withdrawn while its lease lives goes at once, and one that is registered again is as before', async () => {
  site.start();
  const [lease, other] = [await register('a', a.address), await register('b', b.address)];
  await standing('both', 'a UP,b UP');
  await stand.etcd.registry.apply({ puts: [], deletes: ['/backends/web/a'] }, lease, signal);
  await standing('the withdrawal', 'b UP');
  await stand.etcd.registry.revoke(other, signal);
  await standing('the other to be stale', 'b stale UP');
  await register('b', b.address);
  await standing('it to be as before', 'b UP');
});

it('gives way at once to another registration of its address', async () => {
  site.start();
  await staleEndpoint();
  await register('c', a.address);
  await standing('the other claim', 'c UP');
});

it('is kept no longer than STALE, and a restart of the daemon does not begin anew', async () => {
  site.start({ STALE: '1h' });
  await staleEndpoint();
  const file = join(site.dir, 'state', 'last-known-good.json');
  await waitFor('the state to be saved', async () => (await readFile(file, 'utf8')).includes('sinceMs'));
  await site.stop();
  site.start({ STALE: '1h' });
  await standing('it to be stale', 'a stale UP');
  expect(await site.get(site.port)).toBe('a');
  await site.stop();
  // As if an hour had passed.
  const older = (_match: string, sinceMs: string): string => `"sinceMs": ${String(Number(sinceMs) - 3_600_000)}`;
  await writeFile(file, (await readFile(file, 'utf8')).replace(/"sinceMs": (\d+)/, older));
  site.start({ STALE: '1h' });
  // What was restored is given time to be registered again.
  await waitFor('its end', async (seen) => { const { catalog, listeners } = seen(await site.ls()); return catalog === 'live' && listeners.every(({ endpoints: some }) => some.length === 0); }, { timeoutMs: 60_000 }); // prettier-ignore
});

it('with STALE=0s goes with its registration', async () => {
  site.start({ STALE: '0s' });
  const lease = await register('a', a.address);
  await standing('the endpoint', 'a UP');
  await stand.etcd.registry.revoke(lease, signal);
  await waitFor('its end', async () => (await endpoints()).length === 0);
});
