import { basePace } from '../../../src/core/haproxy/check-pace.js';
import type { DiscoverStatus, EndpointStatus } from '../../../src/core/discover-status.js';

export function endpointWith(changes: Partial<EndpointStatus> = {}): EndpointStatus {
  return {
    id: 'a',
    address: '10.0.0.1:80',
    weight: 1,
    zone: null,
    status: 'UP',
    check: '',
    checkText: '',
    sinceSeconds: null,
    sessions: 0,
    stale: false,
    ...changes,
  };
}

/** Of a docker-discover that serves nothing, and misses nothing. */
export function statusWith(changes: Partial<DiscoverStatus> = {}): DiscoverStatus {
  const haproxy = {
    running: true,
    workerPid: 1,
    silence: null,
    reloads: 0,
    runtimeChanges: 0,
    lastReload: null,
    lastChange: null,
  };
  return {
    catalog: 'live',
    revision: 1,
    haproxy,
    checks: { ...basePace, byDocker: [], clientHosts: 1 },
    output: null,
    fault: null,
    listeners: [],
    problems: [],
    changes: [],
    ...changes,
  };
}
