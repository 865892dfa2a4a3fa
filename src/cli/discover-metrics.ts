import { serveMetrics, type GaugeOf } from '../adapters/metrics-server.js';
import type { DiscoverCounts } from '../core/discover-counts.js';
import { formatBind, type BindAddress } from '../core/haproxy/bind.js';
import type { Discover } from '../daemon/discover.js';
import { retry } from '../daemon/retry.js';
import type { Logger } from '../ports/log.js';

/** A port that is taken costs the metrics alone, until it is free. */
export async function serveMetricsOf(
  { counts }: Pick<Discover, 'counts'>,
  { bind, log }: { bind: BindAddress | 'none'; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  if (bind === 'none') return;
  const what = `metrics on ${formatBind(bind)} (METRICS_BIND)`;
  await retry((healthy) => serveMetrics({ bind, gauges: discoverGauges(counts) }, healthy, signal), {
    what,
    log,
    signal,
  });
}

function discoverGauges(counts: () => DiscoverCounts): readonly GaugeOf[] {
  return [
    {
      name: 'docker_discover_listeners',
      help: 'Listeners of services on this host.',
      value: () => counts().listeners,
    },
    {
      name: 'docker_discover_endpoints',
      help: 'Endpoints in the pools of this host, stale ones too.',
      value: () => counts().endpoints,
    },
    {
      name: 'docker_discover_stale_endpoints',
      help: 'Endpoints whose registrations expired without a withdrawal; health checks decide over them.',
      value: () => counts().stale,
    },
    {
      name: 'docker_discover_not_served',
      help: 'Listeners that are refused, keys that are conflicting or rejected.',
      label: 'reason',
      value: () => new Map(Object.entries(counts().notServed)),
    },
  ];
}
