import { defaultLimits } from '../../../src/core/limits.js';
import { createCatalogSource, type CatalogSource } from '../../../src/daemon/catalog-source.js';
import { recordingMeter } from '../../unit/support/meter.js';
import type { TestEtcd } from './etcd.js';
import { createTestLog } from './log.js';

/** A catalog source that runs, beginning with nothing. */
export interface Follower {
  readonly source: CatalogSource;
  /** Of the catalog, which keeps what is stale too. */
  readonly addresses: () => string[];
  /** The values of what stands in etcd. */
  readonly standing: () => string[];
  readonly stop: () => Promise<void>;
}

export function follow(etcd: Pick<TestEtcd, 'registry'>, pollMs: number): Follower {
  const source = createCatalogSource({
    registry: etcd.registry,
    prefix: '/backends',
    pollMs,
    initial: { revision: 0, entries: [], stale: [] },
    trust: () => null,
    staleMs: 600_000,
    limits: defaultLimits,
    log: createTestLog().log,
    meter: recordingMeter().meter,
    onNews: () => undefined,
    onChange: () => undefined,
  });
  const controller = new AbortController();
  const running = source.run(controller.signal).catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return {
    source,
    addresses: () =>
      source
        .catalog()
        .services.flatMap(({ endpoints }) => endpoints.map(({ address }) => `${address.host}:${String(address.port)}`)),
    standing: () => source.entries().map(({ value }) => value),
    stop: async () => {
      controller.abort();
      await running;
    },
  };
}
