import { counter, gauge, histogram, type Metric } from './metric.js';

/** What both daemons measure. */
export interface DaemonMetrics {
  readonly buildInfo: Metric<'gauge', 'version' | 'node'>;
  readonly ready: Metric<'gauge', never>;
  readonly reconciles: Metric<'counter', 'outcome'>;
  readonly reconcileSeconds: Metric<'histogram', never>;
  readonly etcdRequestSeconds: Metric<'histogram', 'operation'>;
  readonly etcdFailures: Metric<'counter', 'operation'>;
}

/**
 * @param daemon what the names begin with: `docker_register`
 * @param operations what it asks of etcd
 */
export function daemonMetrics(daemon: string, operations: readonly string[]): DaemonMetrics {
  return {
    buildInfo: gauge(`${daemon}_build_info`, 'Always 1; which version runs, on which Node.', ['version', 'node']),
    ready: gauge(`${daemon}_ready`, '1 where /readyz says so.'),
    reconciles: counter(
      `${daemon}_reconciles_total`,
      'Rounds in which what is was compared with what should be, by outcome: done or failed.',
      { name: 'outcome', values: ['done', 'failed'] },
    ),
    reconcileSeconds: histogram(`${daemon}_reconcile_duration_seconds`, 'How long such a round took.', {
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
    etcdRequestSeconds: histogram(
      `${daemon}_etcd_request_duration_seconds`,
      'How long etcd took to answer, by operation; requests that failed too. Its count is the number of requests.',
      { labels: ['operation'], buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
    ),
    etcdFailures: counter(
      `${daemon}_etcd_request_failures_total`,
      'Requests that no member of etcd answered, or answered with an error, by operation. A watch that ended counts too.',
      { name: 'operation', values: operations },
    ),
  };
}
