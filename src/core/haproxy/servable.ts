import type { Endpoint } from '../catalog.js';
import { isRouted } from '../http-route.js';
import { isServed, portOn, whyBarredBy, type ClientPolicy } from './client-policy.js';

/** What this host is like, as far as it says what it can never serve. */
export interface ServingHost {
  readonly policy: ClientPolicy;
  /** Ports of our own, and what they are for. */
  readonly reserved: ReadonlyMap<number, string>;
  readonly hasEntrance: boolean;
}

/**
 * Whether this host would serve an endpoint, whoever else is there: its service may be served, and has a port here that it may open, or a
 * way in by the HTTP entrance. Of its address nothing is asked: who claims the same has the same.
 */
export function servableBy({ policy, reserved, hasEntrance }: ServingHost): (endpoint: Endpoint) => boolean {
  const whyBarred = whyBarredBy(policy, reserved);
  return (endpoint) =>
    isServed(policy, endpoint.service) &&
    ((hasEntrance && isRouted(endpoint)) || whyBarred(portOn(policy, endpoint.service, endpoint.servicePort)) === null);
}
