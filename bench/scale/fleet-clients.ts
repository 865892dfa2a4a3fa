import { setTimeout as sleep } from 'node:timers/promises';
import { createCatalogSource, type CatalogSource } from '../../src/daemon/catalog-source.js';
import { defaultLimits } from '../../src/core/limits.js';
import type { Catalog } from '../../src/core/catalog.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { allHave, usedBySelf, type Fleet, type FleetOptions } from './fleet-orders.js';
import { holdClientHost } from './fleet-client-host.js';
import { silent } from './silent.js';

/** More samples would not change a percentile, but fill the memory. */
const mostSamples = 100_000;

/** Client hosts: how docker-discover follows etcd; HAProxy is not part of it. */
export function runClients({ count, connect }: FleetOptions): Fleet {
  const sources: { readonly source: CatalogSource; readonly controller: AbortController }[] = [];
  let lagMs: number[] = [];
  let events = 0;

  const start = (): void => {
    const controller = new AbortController();
    const connected = connect();
    const source = createCatalogSource({
      registry: connected.registry,
      prefix: '/backends',
      pollMs: 5_000,
      initial: { revision: 0, entries: [], stale: [] },
      trust: () => null,
      staleMs: 600_000,
      limits: defaultLimits,
      ...silent,
      onNews(news) {
        events += news.length;
        for (const { atMs } of news) if (lagMs.length < mostSamples) lagMs.push(Date.now() - atMs);
      },
      onChange: () => undefined,
    });
    sources.push({ source, controller });
    void holdClientHost(connected, controller.signal);
    void source.run(controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) console.error('a client host ended', error);
    });
  };
  const live = (): Promise<unknown> =>
    waitFor('all client hosts to have a catalog', () => sources.every(({ source }) => source.isLive()), {
      timeoutMs: 300_000,
      intervalMs: 20,
    });

  return {
    async obey(order) {
      const startedAt = performance.now();
      let tookMs = 0;
      switch (order.do) {
        case 'restart':
        case 'start':
          for (const { controller } of sources.splice(0)) controller.abort();
          for (let n = 0; n < count; n += 1) {
            start();
            if (order.do === 'start' && order.withinSeconds > 0) await sleep((order.withinSeconds * 1_000) / count);
          }
          await live();
          tookMs = performance.now() - startedAt;
          break;
        case 'await':
          await allHave(order.endpoints, () => sources.map(({ source }) => endpointsOf(source.catalog())));
          tookMs = performance.now() - startedAt;
          break;
        case 'report':
          break;
        case 'deploy':
        case 'lose':
          throw new RangeError(`client hosts can not ${order.do}`);
      }
      const report = { lagMs, events, ...usedBySelf(), tookMs };
      if (order.do === 'report') [lagMs, events] = [[], 0];
      return report;
    },
  };
}

/** Those that stand; the stale ones are kept, but not counted. */
function endpointsOf({ services }: Catalog): number {
  let count = 0;
  for (const { endpoints } of services) for (const { stale } of endpoints) if (!stale) count += 1;
  return count;
}
