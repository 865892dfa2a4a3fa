import { reloadCauses } from '../haproxy/reload-reason.js';
import { daemonMetrics } from './daemon.js';
import { counter, gauge, histogram } from './metric.js';

/** What docker-discover measures; `docs/metrics.md` is made from it. */
export const discoverMetrics = {
  ...daemonMetrics('docker_discover', ['list', 'poll', 'watch', 'lease_time']),
  catalogLive: gauge(
    'docker_discover_catalog_live',
    '1 while etcd answers and its watch stands; 0: the last known good state is served.',
  ),
  catalogRevision: gauge('docker_discover_catalog_revision', 'Revision of etcd at which the catalog stands.'),
  services: gauge('docker_discover_services', 'Services that this host serves.'),
  listeners: gauge('docker_discover_listeners', 'Listeners of services on this host.'),
  endpoints: gauge('docker_discover_endpoints', 'Endpoints in the pools of this host, stale ones too.'),
  staleEndpoints: gauge(
    'docker_discover_stale_endpoints',
    'Endpoints whose registrations expired without a withdrawal; health checks decide over them.',
  ),
  notServed: gauge(
    'docker_discover_not_served',
    'Listeners that are refused or quarantined, endpoints that NETWORKS forbids, keys that are conflicting or rejected, and what else `docker-discover ls` calls not served, by reason.',
    ['reason'],
  ),
  overLimit: gauge(
    'docker_discover_over_limit',
    'What is left out because there is more than a limit allows, by limit: key_bytes, value_bytes, keys, keys_per_lease, services, endpoints, listeners.',
    ['limit'],
  ),
  limit: gauge('docker_discover_limit', 'The limits as they are set (MAX_…).', ['limit']),
  clientHosts: gauge(
    'docker_discover_client_hosts',
    'Client hosts that check the endpoints, as counted in etcd or set (CLIENT_HOSTS); after a start, until etcd tells, as counted last; absent while nobody has told.',
  ),
  checkInterval: gauge(
    'docker_discover_check_interval_seconds',
    'Time between two checks of an endpoint that is well and whose service has no time of its own, by kind: tcp or http.',
    ['kind'],
  ),
  checkedListeners: gauge(
    'docker_discover_checked_listeners',
    "Listeners by how they are checked: tcp, http, or docker, where a check of layer 4 stands in for that over HTTP since Docker's HEALTHCHECK looks after all endpoints.",
    ['kind'],
  ),
  watchEvents: counter('docker_discover_watch_events_total', 'Changes that the watch told, by kind: put or delete.', {
    name: 'kind',
    values: ['put', 'delete'],
  }),
  propagationSeconds: histogram(
    'docker_discover_propagation_seconds',
    'From the event of a container, by the clock of its host, to the pool of this host; keep the clocks in step.',
    { buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] },
  ),
  haproxyUp: gauge('docker_discover_haproxy_up', '1 while HAProxy runs.'),
  haproxyExits: counter(
    'docker_discover_haproxy_exits_total',
    'How often HAProxy ended by itself, and was started again.',
  ),
  behind: gauge(
    'docker_discover_configuration_refused',
    '1 while HAProxy, or what EXEC runs, does not take what it should; the last good configuration stands.',
  ),
  runtimeChanges: counter(
    'docker_discover_runtime_changes_total',
    'Changes of servers over the runtime API, without a reload, by kind.',
    { name: 'kind', values: [] },
  ),
  runtimeRejections: counter(
    'docker_discover_runtime_rejections_total',
    'How often the runtime API did not take a change; a reload brings it then.',
  ),
  reloads: counter('docker_discover_reloads_total', 'Reloads of HAProxy, by the first of their reasons.', {
    name: 'reason',
    values: reloadCauses,
  }),
  reloadFailures: counter(
    'docker_discover_reload_failures_total',
    'Starts and reloads that failed; they are tried again.',
  ),
  reloadSeconds: histogram(
    'docker_discover_reload_duration_seconds',
    'How long a start or reload took, with the check before it.',
    { buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] },
  ),
  execRuns: counter('docker_discover_exec_runs_total', 'Runs of the command in EXEC, by outcome: done or failed.', {
    name: 'outcome',
    values: ['done', 'failed'],
  }),
} as const;
