import type { Reading } from '../adapters/prometheus.js';
import { nothingKnown } from '../core/catalog-state.js';
import { limitCountsOf, type DiscoverLimits } from '../core/limits.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { CheckPacer } from '../daemon/check-pacer.js';
import type { Discover } from '../daemon/discover.js';
import type { Health } from '../daemon/service-notices.js';

/** What of docker-discover is looked up when somebody asks. */
export function discoverReadings(
  { counts }: Pick<Discover, 'counts'>,
  { limits, pacer }: { readonly limits: DiscoverLimits; readonly pacer: CheckPacer },
): readonly Reading[] {
  const m = discoverMetrics;
  return [
    { metric: m.catalogLive, read: () => Number(counts().isLive) },
    { metric: m.catalogRevision, read: () => counts().revision },
    { metric: m.services, read: () => counts().services },
    { metric: m.listeners, read: () => counts().listeners },
    { metric: m.endpoints, read: () => counts().endpoints },
    { metric: m.staleEndpoints, read: () => counts().stale },
    { metric: m.notServed, read: () => new Map(Object.entries(counts().notServed)) },
    { metric: m.overLimit, read: () => new Map(Object.entries(counts().overLimit)) },
    { metric: m.limit, read: () => new Map(Object.entries(limitCountsOf(limits))) },
    { metric: m.clientHosts, read: () => pacer.clientHosts() },
    {
      metric: m.checkInterval,
      read: () => {
        const { tcpMs, httpMs } = pacer.current();
        return new Map([
          ['tcp', tcpMs / 1000],
          ['http', httpMs / 1000],
        ]);
      },
    },
    { metric: m.checkedListeners, read: () => new Map(Object.entries(counts().checked)) },
    { metric: m.haproxyUp, read: () => Number(counts().isRunning) },
    { metric: m.behind, read: () => Number(counts().isRefused) },
  ];
}

/** Ready once HAProxy serves a catalog; it stays so on the last known good one, and says it. */
export function discoverHealth(discover: Pick<Discover, 'counts' | 'isReady' | 'isAlive'>): Health {
  return {
    isAlive: discover.isAlive,
    readiness: () => {
      const { revision, isLive } = discover.counts();
      if (revision === 0) return { isReady: false, text: `not ready: ${nothingKnown}` };
      if (!discover.isReady()) return { isReady: false, text: 'not ready: HAProxy has taken no configuration yet' };
      return isLive
        ? { isReady: true, text: 'ready: etcd is followed' }
        : { isReady: true, text: 'ready, on the last known good state: etcd does not answer' };
    },
  };
}
