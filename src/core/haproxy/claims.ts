import { inItsMode, listenerAttributesOf, type ListenerAttributes } from '../attributes.js';
import { newestOf, type Endpoint, type Service } from '../catalog.js';
import { listenerNameOf, type Listener, type Server } from './listener.js';

/** A listener that is asked for; it may have to give way to another on its port. */
export interface Claim {
  readonly listener: Listener;
  /** Create revision of its oldest registration; what decides between two that came without a holder. */
  readonly since: number;
}

/**
 * One for each service port of a service. Depends on nothing but these two, so that it need be made once.
 *
 * @param portOf the port on this host
 */
export function claimsOf(
  { name, endpoints }: Service,
  portOf: (service: string, servicePort: number) => number,
): Claim[] {
  const byPort = new Map<number, Endpoint[]>();
  for (const endpoint of endpoints) {
    const own = byPort.get(endpoint.servicePort);
    if (own === undefined) byPort.set(endpoint.servicePort, [endpoint]);
    else own.push(endpoint);
  }
  return [...byPort].map(([servicePort, own]) => ({
    listener: listenerOf({ service: name, servicePort, port: portOf(name, servicePort) }, own),
    since: own.reduce((least, { createRevision }) => Math.min(least, createRevision), Infinity),
  }));
}

function listenerOf(
  { service, servicePort, port }: Pick<Listener, 'service' | 'servicePort' | 'port'>,
  endpoints: readonly Endpoint[],
): Listener {
  const attributes = inItsMode(listenerAttributesOf(newestOf(endpoints)));
  return {
    name: listenerNameOf(service, servicePort),
    service,
    servicePort,
    port,
    isOpen: true,
    routes: [],
    ...attributes,
    // A client with a cookie comes to a server of weight 0 all the same: one that drains is taken out at once, and what is
    // connected to it lives on.
    servers: endpoints
      .filter(({ state }) => attributes.sticky === null || state === 'ready')
      .map((endpoint) => serverOf(endpoint, attributes)),
    empty: null,
  };
}

function serverOf(endpoint: Endpoint, { check, checkStatus }: ListenerAttributes): Server {
  const { id, address, weight, state, stale, backup, maxconn, proxyProtocol, slowStartMs, zone, tags, others } =
    endpoint;
  // Nobody withdraws it while its docker-register is silent; and what that looks at may be another question than the listener's.
  const isLookedAfter = !stale && endpoint.check === check && endpoint.checkStatus === checkStatus;
  return {
    name: id,
    host: address.host,
    port: address.port,
    weight: state === 'drain' ? 0 : weight,
    backup,
    maxconn,
    proxyProtocol,
    slowStartMs,
    healthcheckMs: isLookedAfter ? endpoint.healthcheckMs : null,
    zone,
    tags,
    stale,
    others,
  };
}
