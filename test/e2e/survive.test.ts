import { beforeEach, expect, it } from 'vitest';
import { startTraffic } from '../lab/demo/traffic.js';
import type { EngineHost, Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { answeredBy, discoverReady, keys, ls, startDiscover, startRegister, startWhoami } from './support/pair.js';
import { useLab } from './support/use-lab.js';

const currentLab = useLab();
let lab: Lab;
let backend1: EngineHost;
let backend2: EngineHost;

beforeEach(() => {
  lab = currentLab();
  [backend1, backend2] = lab.backends;
});

/** The endpoints of the one service, as `id status`, with `stale` before those that are. */
async function pool(): Promise<string> {
  const endpoints = (await ls(lab)).listeners.flatMap((listener) => listener.endpoints);
  return endpoints
    .map(({ id, stale, status }) => `${stale ? 'stale ' : ''}${id} ${status}`)
    .sort()
    .join();
}

const poolIs = (what: string, ...expected: string[]): Promise<unknown> =>
  waitFor(what, async (seen) => seen(await pool()) === [...expected].sort().join());

/** A firewall between a host, with its containers, and etcd; clients still reach it. */
const fence = (host: EngineHost, change: '-I' | '-D'): Promise<unknown> =>
  Promise.all(
    ['FORWARD', 'OUTPUT'].map((chain) => host.run(`iptables -w ${change} ${chain} -d ${lab.etcd.ip} -j DROP`)),
  );

async function twoHosts(): Promise<{ one: string; two: string; three: string }> {
  const one = await startWhoami(backend1, { options: '-p :8000' });
  const two = await startWhoami(backend2, { options: '-p :8000' });
  const three = await startWhoami(backend2, { options: '-p :8000' });
  await startRegister(lab, backend1, '-e TTL=5s');
  await startRegister(lab, backend2, '-e TTL=5s');
  await startDiscover(lab);
  await answeredBy(lab, 8000, [one, two, three]);
  return { one, two, three };
}

it('back-end hosts that are cut off from etcd for longer than the TTL go on being served, without those that die meanwhile', async () => {
  const { one, two, three } = await twoHosts();
  const traffic = startTraffic(lab.client, `${lab.client.ip}:8000`);
  try {
    await Promise.all([fence(backend1, '-I'), fence(backend2, '-I')]);
    await waitFor('all keys to expire', async (seen) => seen(await keys(lab)).length === 0);
    await poolIs('all to be stale', `stale ${one} UP`, `stale ${two} UP`, `stale ${three} UP`);
    expect((await traffic.end()).failures).toEqual([]);
    await backend2.docker('kill', two);
    await poolIs('the checks to find it', `stale ${one} UP`, `stale ${two} DOWN`, `stale ${three} UP`);
    await answeredBy(lab, 8000, [one, three]);
  } finally {
    await traffic.end();
    await Promise.all([fence(backend1, '-D'), fence(backend2, '-D')]);
  }
  await poolIs('the living to be registered again, and the dead to go', `${one} UP`, `${three} UP`);
  expect((await keys(lab)).length).toBe(2);
});

it('etcd that is away for longer than the TTL, and comes back without its data, costs no request and empties no pool', async () => {
  const { one, two, three } = await twoHosts();
  const { workerPid, reloads } = (await ls(lab)).haproxy;
  const traffic = startTraffic(lab.client, `${lab.client.ip}:8000`);
  await lab.etcd.kill();
  try {
    await waitFor('the lease to be in doubt', async () =>
      (await backend1.run('docker logs docker-register 2>&1')).stdout.includes('may have ended it'),
    );
    await lab.etcd.run('rm -r /run/lab/etcd');
  } finally {
    await lab.etcd.start();
  }
  const backAt = performance.now();
  await waitFor('all keys', async (seen) => seen(await keys(lab)).length === 3, { intervalMs: 20 });
  console.log(`all keys stand again ${((performance.now() - backAt) / 1000).toFixed(1)} s after etcd is back`);
  await poolIs('the pool to be as before', `${one} UP`, `${two} UP`, `${three} UP`);
  await waitFor('etcd to be followed', async () => (await ls(lab)).catalog === 'live');
  expect((await traffic.end()).failures).toEqual([]);
  // Not one server was taken out, and none added.
  expect((await ls(lab)).haproxy).toMatchObject({ workerPid, reloads, runtimeChanges: 0 });
});

it('a docker-discover that restarts while etcd is away serves what it knew, without the containers that died', async () => {
  const { one, two, three } = await twoHosts();
  await lab.etcd.stop();
  try {
    await backend2.docker('kill', two);
    await lab.client.docker('restart', 'docker-discover');
    await discoverReady(lab);
    await answeredBy(lab, 8000, [one, three]);
    expect((await ls(lab)).catalog).toBe('last known good');
    await waitFor('the lease to be in doubt', async () =>
      (await backend2.run('docker logs docker-register 2>&1')).stdout.includes('may have ended it'),
    );
  } finally {
    await lab.etcd.start();
  }
  await poolIs('the living to be registered again, and the dead to go', `${one} UP`, `${three} UP`);
});

it('a docker-register that is killed, and upgraded after its TTL, is not noticed', async () => {
  const { one, two, three } = await twoHosts();
  const { workerPid, reloads, runtimeChanges } = (await ls(lab)).haproxy;
  const traffic = startTraffic(lab.client, `${lab.client.ip}:8000`);
  await backend1.docker('rm', '-f', 'docker-register');
  await waitFor('its key to expire', async (seen) => seen(await keys(lab)).length === 2);
  await poolIs('its endpoint to be stale', `stale ${one} UP`, `${two} UP`, `${three} UP`);
  await startRegister(lab, backend1, '-e TTL=5s');
  await poolIs('it to be registered again', `${one} UP`, `${two} UP`, `${three} UP`);
  expect((await traffic.end()).failures).toEqual([]);
  expect((await ls(lab)).haproxy).toMatchObject({ workerPid, reloads, runtimeChanges });
});
