import { nothingKnown } from './catalog-state.js';
import type { DiscoverStatus, EndpointStatus, ListenerStatus } from './discover-status.js';
import { keyOf, printableKey } from './keyspace.js';

/** What this host makes of a service; `docker-discover explain --json` prints it. */
export interface ServiceExplanation {
  readonly service: string;
  readonly listeners: readonly {
    readonly port: number | null;
    readonly routes: readonly string[];
    readonly check: ListenerStatus['check'];
    readonly endpoints: readonly (EndpointStatus & { readonly key: string })[];
  }[];
  /** What is not as somebody may want it, with the mend where there is one. */
  readonly reasons: readonly string[];
}

export interface Asked {
  readonly service: string;
  readonly prefix: string;
  /** SERVICES and DENY_SERVICES let it be served here. */
  readonly isWanted: boolean;
}

export function serviceExplanationOf(status: DiscoverStatus, { service, prefix, isWanted }: Asked): ServiceExplanation {
  const listeners = status.listeners
    .filter((listener) => listener.service === service)
    .map(({ port, routes, check, endpoints }) => ({
      port,
      routes,
      check,
      endpoints: endpoints.map((endpoint) => ({ ...endpoint, key: keyOf(prefix, { service, id: endpoint.id }) })),
    }));
  const own = status.problems.filter(
    ({ key }) => key === service || key.startsWith(`${service}:`) || key.startsWith(`${prefix}/${service}/`),
  );
  const reasons = own.map(({ key, reason }) => `${printableKey(key)}: ${reason}`);
  if (!isWanted) reasons.push('SERVICES or DENY_SERVICES leave it out on this host');
  else if (listeners.length === 0 && own.length === 0 && status.catalog === 'live')
    reasons.push(
      `no key below ${prefix}/${service}/ stands in etcd: docker-register explain tells why, on the host of its container`,
    );
  // Which keys those are nobody knows: they are counted, and not kept.
  for (const { key, reason } of status.problems.filter((problem) => problem.key.startsWith('MAX_KEYS')))
    reasons.push(`what is missing of it may be among keys that are left out: ${key}: ${reason}`);
  if (listeners.some(({ endpoints }) => endpoints.length === 0))
    reasons.push('its last endpoint has gone; the listener lingers (LINGER)');
  if (status.catalog === 'none') reasons.push(`${nothingKnown}: docker-discover doctor tells why`);
  if (status.catalog === 'last known good') {
    if (listeners.length === 0 && own.length === 0)
      reasons.push(`no key below ${prefix}/${service}/ stood in etcd when it last answered`);
    reasons.push('etcd does not answer: this is what was known last');
  }
  if (status.haproxy.silence !== null) reasons.push(`HAProxy does not answer: ${status.haproxy.silence}`);
  if (status.fault !== null) reasons.push(`what is wanted is not what runs: ${status.fault}`);
  return { service, listeners, reasons };
}
