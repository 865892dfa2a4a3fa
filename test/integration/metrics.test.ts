import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const prefix = '/backends';
const signal = new AbortController().signal;
const stand = useStand();
let site: Site;
let a: BackEnd;
let url: string;

beforeEach(async () => {
  a = await stand.backEnd('a');
  site = await stand.site({ prefix });
  url = `http://127.0.0.1:${String(site.thirdPort)}`;
  site.start({ METRICS_BIND: `127.0.0.1:${String(site.thirdPort)}` });
  await waitFor('etcd to be followed', async () => (await valueOf('docker_discover_catalog_live')) === 1);
});

/** The value of a series, or null where there is none. */
async function valueOf(series: string): Promise<number | null> {
  const response = await fetch(`${url}/metrics`).catch(() => null);
  const lines = ((await response?.text()) ?? '').split('\n');
  const line = lines.find((text) => text.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

const reaches = (series: string, least: number): Promise<unknown> =>
  waitFor(`${series} to be ${String(least)}`, async (seen) => Number(seen(await valueOf(series))) >= least);

const valueAt = (time: Date): string => `${a.address}?port=${String(site.port)}&at=${time.toISOString()}`;

describe('the metrics of docker-discover', () => {
  it('begin at 0, so that the first failure and the first reload are an increase', async () => {
    expect(await valueOf('docker_discover_etcd_request_failures_total{operation="watch"}')).toBe(0);
    expect(await valueOf('docker_discover_reloads_total{reason="section_added"}')).toBe(0);
    await site.put('web/a', valueAt(new Date()));
    await site.answers(site.port, 'a');
    await reaches('docker_discover_reloads_total{reason="section_added"}', 1);
  });

  it('tell from the event of a container to the pool, and of nothing that was there before', async () => {
    await site.put('web/a', valueAt(new Date(Date.now() - 700)));
    await site.answers(site.port, 'a');
    await reaches('docker_discover_propagation_seconds_count', 1);
    const sum = (await valueOf('docker_discover_propagation_seconds_sum')) ?? 0;
    expect(sum).toBeGreaterThanOrEqual(0.7);
    expect(sum).toBeLessThan(30);
    // Put again as it is, as by a docker-register with another lease: nothing has happened to the container.
    const { entries } = await stand.etcd.registry.list(signal);
    await site.put('web/a', entries[0]?.value ?? '');
    await reaches('docker_discover_watch_events_total{kind="put"}', 2);
    expect(await valueOf('docker_discover_propagation_seconds_count')).toBe(1);
  });

  it('count what is done to HAProxy, and why', async () => {
    await site.put('web/a', valueAt(new Date()));
    await site.answers(site.port, 'a');
    // A worker serves before its reload is over.
    await reaches('docker_discover_reloads_total{reason="section_added"}', 1);
    expect(await valueOf('docker_discover_reloads_total{reason="section_added"}')).toBe(1);
    await site.put('web/b', `127.0.0.1:1?port=${String(site.port)}`);
    await reaches('docker_discover_runtime_changes_total{kind="add"}', 1);
    site.hangUp();
    await reaches('docker_discover_reloads_total{reason="template"}', 1);
    expect(await valueOf('docker_discover_endpoints')).toBe(2);
    expect(await valueOf('docker_discover_services')).toBe(1);
    expect(await valueOf('docker_discover_haproxy_up')).toBe(1);
    process.kill(await site.master(), 'SIGKILL');
    await reaches('docker_discover_haproxy_exits_total', 1);
    await reaches('docker_discover_reloads_total{reason="not_running"}', 1);
  });

  it('count what is not served, by reason, and what was asked of etcd', async () => {
    await site.put('web/bad', 'nonsense');
    await reaches('docker_discover_not_served{reason="rejected"}', 1);
    await reaches('docker_discover_etcd_request_duration_seconds_count{operation="poll"}', 1);
    expect(await valueOf('docker_discover_etcd_request_duration_seconds_count{operation="list"}')).toBe(1);
    await stand.etcd.kill();
    try {
      await reaches('docker_discover_etcd_request_failures_total{operation="list"}', 1);
      expect(await valueOf('docker_discover_catalog_live')).toBe(0);
    } finally {
      await stand.etcd.start();
    }
  });

  it('name the build and the process', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toMatch(/^docker_discover_build_info\{version="\d+\.\d+\.\d+",node="\d+\.\d+\.\d+"\} 1$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });
});

describe('health', () => {
  const ask = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`${url}${path}`);
    return [response.status, await response.text()];
  };

  it('is ready, stays so on the last known good state, and says which it is', async () => {
    await site.put('web/a', valueAt(new Date()));
    await site.answers(site.port, 'a');
    expect(await ask('/healthz')).toEqual([200, 'alive\n']);
    // A worker serves before its reload is over.
    await waitFor('it to be ready', async (seen) => seen(await ask('/readyz'))[0] === 200);
    expect(await ask('/readyz')).toEqual([200, 'ready: etcd is followed\n']);
    expect(await valueOf('docker_discover_ready')).toBe(1);
    await stand.etcd.kill();
    try {
      await waitFor('it to be said', async () => (await ask('/readyz'))[1].includes('last known good'));
      expect((await ask('/readyz'))[0]).toBe(200);
      expect(await site.get(site.port)).toBe('a');
    } finally {
      await stand.etcd.start();
    }
  });

  it('is for who asks: what is no such question gets a short answer', async () => {
    expect(await ask('/')).toEqual([404, 'there are /metrics, /healthz, /readyz\n']);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
    const head = await fetch(`${url}/metrics?x=1`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('x-content-type-options')).toBe('nosniff');
    expect(head.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('does not wait for who asks slowly, and does not mind garbage', async () => {
    const sockets = Array.from({ length: 20 }, () => connect(site.thirdPort, '127.0.0.1'));
    for (const [n, socket] of sockets.entries()) {
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(n % 2 === 0 ? 'GET /metrics HTTP/1.1\r\nX-Slow: ' : '\x00\xff\r\n\r\n');
    }
    expect(await ask('/healthz')).toEqual([200, 'alive\n']);
    for (const socket of sockets) socket.destroy();
  });
});
