import { createCatalogSource, type CatalogSource, type CatalogSourceOptions } from '../../src/daemon/catalog-source.js';
import { defaultLimits } from '../../src/core/limits.js';
import type { Catalog } from '../../src/core/catalog.js';
import { holdClientHost } from './fleet-client-host.js';
import type { Fleet, FleetOptions } from './fleet-orders.js';
import { createSeen, fleetOf } from './fleet-readers.js';
import { silent } from './silent.js';

/** Client hosts: how docker-discover follows etcd; HAProxy is not part of it. */
export function runClients({ count, connect }: FleetOptions): Fleet {
  const sources: { readonly source: CatalogSource; readonly controller: AbortController }[] = [];
  const seen = createSeen();
  /** The last known good state, which docker-discover keeps on disk. */
  let initial: CatalogSourceOptions['initial'] = { revision: 0, entries: [], stale: [] };

  const start = (): void => {
    const controller = new AbortController();
    const connected = connect();
    const source = createCatalogSource({
      registry: connected.registry,
      prefix: '/backends',
      pollMs: 5_000,
      initial,
      trust: () => null,
      staleMs: 600_000,
      limits: defaultLimits,
      ...silent,
      onNews(news) {
        for (const { atMs } of news) seen.news(1, atMs);
      },
      onChange: () => undefined,
    });
    sources.push({ source, controller });
    const following = source.run(controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) console.error('a client host ended', error);
    });
    void Promise.all([following, holdClientHost(connected, controller.signal)]).finally(connected.close);
  };

  const readers = {
    start,
    end() {
      const [{ source: first } = {}] = sources;
      if (first !== undefined) initial = { revision: first.revision(), entries: first.entries(), stale: first.stale() };
      for (const { controller } of sources.splice(0)) controller.abort();
    },
    areLive: () => sources.every(({ source }) => source.isLive()),
    counts: () => sources.map(({ source }) => endpointsOf(source.catalog())),
  };
  return fleetOf(count, readers, seen);
}

/** Those that stand; the stale ones are kept, but not counted. */
function endpointsOf({ services }: Catalog): number {
  let count = 0;
  for (const { endpoints } of services) for (const { stale } of endpoints) if (!stale) count += 1;
  return count;
}
