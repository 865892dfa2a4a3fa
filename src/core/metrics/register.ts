import { daemonMetrics } from './daemon.js';
import { counter, gauge, histogram } from './metric.js';

/** What docker-register measures; `docs/metrics.md` is made from it. */
export const registerMetrics = {
  ...daemonMetrics('docker_register', [
    'list',
    'list_own',
    'apply',
    'grant_lease',
    'keep_alive',
    'lease_time',
    'revoke',
  ]),
  events: counter('docker_register_events_total', 'Events of containers that Docker told, by action.', {
    name: 'action',
    values: [],
  }),
  streams: counter(
    'docker_register_event_streams_total',
    'How often the event stream was opened after there was none. More than one: events may have been missed, and everything was looked at.',
  ),
  leaseHeld: gauge('docker_register_lease_held', '1 while there is a lease that etcd has confirmed within its TTL.'),
  leaseAge: gauge('docker_register_lease_age_seconds', 'Time since the lease was granted; none without a lease.'),
  leaseUnconfirmed: gauge(
    'docker_register_lease_unconfirmed_seconds',
    'Time since etcd last confirmed the lease, normally up to a third of the TTL; beyond the TTL etcd may have ended it. None without a lease.',
  ),
  leaseTtl: gauge(
    'docker_register_lease_ttl_seconds',
    'TTL that this host asks for (TTL); after so long a silence etcd forgets it.',
  ),
  leasesLost: counter('docker_register_leases_lost_total', 'Leases that were lost, and everything put again.'),
  containers: gauge('docker_register_containers', 'Containers that run or are paused here.'),
  registrations: gauge('docker_register_registrations', 'Keys of this host that are held in etcd.'),
  changes: counter('docker_register_key_changes_total', 'Keys put and deleted in etcd, by change: put or delete.', {
    name: 'change',
    values: ['put', 'delete'],
  }),
  skipped: gauge(
    'docker_register_skipped',
    'Containers, or single ports of them, that are left out now, by reason. `docker-register explain` tells of each.',
    ['reason'],
  ),
  misread: gauge('docker_register_misread', 'Labels and variables that are not understood, so that a default holds.'),
  keptOut: gauge(
    'docker_register_kept_out',
    'Containers that come and go too often, and are kept out meanwhile (CHANGE_RATE).',
  ),
  overLimit: gauge(
    'docker_register_over_limit',
    'What is left out because there is more than a limit allows, by limit: registrations, ports, and containers for label_bytes.',
    ['limit'],
  ),
  limit: gauge('docker_register_limit', 'The limits as they are set (MAX_…).', ['limit']),
  registrationSeconds: histogram(
    'docker_register_registration_delay_seconds',
    'From the event of a container, by the clock of Docker, to its key in etcd.',
    { buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] },
  ),
} as const;
