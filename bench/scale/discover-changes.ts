import { waitFor } from '../../test/lab/wait-for.js';
import { median } from '../figures.js';
import { firstPort, keyAt, put, requestTo, valueAt, type Bed, type Running } from './discover-bed.js';
import { usedByAll, useOf } from './process.js';

export const changes = 400;
/** V8 has compiled little of a daemon that has just started. */
export const warmUp = 50;
export const rateSeconds = 10;

/** An endpoint moves to an address that nobody had. */
export async function changeOneByOne(
  bed: Bed,
  { pid, told }: Running,
  endpoints: number,
): Promise<{ times: number[]; cpuMs: number }> {
  const times = [];
  let before = 0;
  for (let n = 0; n < warmUp + changes; n += 1) {
    if (n === warmUp) before = useOf(pid).cpuMs;
    const of = n % endpoints;
    const host = 100_000 + n;
    const value = valueAt(bed, of, host);
    const [ip = ''] = value.split(':');
    const seen = told(ip);
    const putAt = performance.now();
    await put(bed, [{ key: keyAt(of), value }]);
    const seenAt = await seen;
    if (n >= warmUp) times.push(seenAt - putAt);
  }
  return { times, cpuMs: (useOf(pid).cpuMs - before) / changes };
}

/** A service that was not there, ten times. */
export async function reloads(bed: Bed, { told, daemon }: Running): Promise<number> {
  const times: number[] = [];
  daemon.onLine((line) => {
    const tookMs = /"tookMs":(\d+).*"HAProxy reloaded"/.exec(line)?.[1];
    if (tookMs !== undefined) times.push(Number(tookMs));
  });
  for (let n = 0; n < 10; n += 1) {
    const seen = told('"HAProxy reloaded"');
    const port = firstPort + 2_000 + n;
    await put(bed, [
      {
        key: `/backends/new-${String(n)}/one`,
        value: `127.200.0.${String(n + 1)}:${String(bed.backEndPort)}?port=${String(port)}`,
      },
    ]);
    await seen;
    await waitFor('its listener', () => requestTo(port).then(() => true), { intervalMs: 5 });
  }
  return median(times);
}

/** Endpoints move, so many a second, for a while. */
export async function changeAtRate(
  bed: Bed,
  { pid, proxies, ask: askHaproxy }: Running,
  endpoints: number,
  rate: number,
): Promise<{ cpu: number; haproxyCpu: number; behindMs: number }> {
  const proxyPids = proxies();
  const used = (): number[] => [useOf(pid).cpuMs, usedByAll(proxyPids).cpuMs];
  const [before = 0, proxyBefore = 0] = used();
  const startedAt = performance.now();
  const total = rate * rateSeconds;
  let last = '';
  let lastKey = '';
  for (let n = 0; n < total;) {
    // In batches of a tick, as hosts do; not more than a transaction takes.
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * rate));
    const batch = new Map<string, string>();
    for (; n < due && batch.size < 100; n += 1) {
      lastKey = keyAt((n * 7) % endpoints);
      last = valueAt(bed, (n * 7) % endpoints, 200_000 + rate * 11 + n);
      batch.set(lastKey, last);
    }
    if (batch.size > 0)
      await put(
        bed,
        [...batch].map(([key, value]) => ({ key, value })),
      );
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const putAt = performance.now();
  const [ip = ''] = last.split(':');
  const service = /\/(service-\d+)\//.exec(lastKey)?.[1] ?? '';
  await waitFor(
    'the last change to be in the pool',
    async () =>
      (await askHaproxy(`show servers state ${service}:${/port=(\d+)/.exec(last)?.[1] ?? ''}`)).includes(` ${ip} `),
    { intervalMs: 2 },
  );
  const behindMs = performance.now() - putAt;
  const seconds = (performance.now() - startedAt) / 1000;
  const [after = 0, proxyAfter = 0] = used();
  return { cpu: (after - before) / seconds / 10, haproxyCpu: (proxyAfter - proxyBefore) / seconds / 10, behindMs };
}
