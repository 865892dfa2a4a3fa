import type { ContainerSnapshot } from './container.js';
import type { Registration } from './service.js';

export interface Claim {
  readonly container: ContainerSnapshot;
  readonly registration: Registration;
}

export interface Settled<C extends Claim> {
  readonly claims: readonly C[];
  /** Those that lost their address, or their name in etcd, to another container. */
  readonly outdone: readonly (C & { readonly lost: 'address' | 'SERVICE_ID' })[];
}

/**
 * An address belongs to one container, and so does a name in etcd (two may be given one SERVICE_ID). Where two containers
 * claim an address, the older is dead and its end has not been seen yet: Docker gives a host port away again as soon as
 * it is free, before it tells of the death. A container that shares another's network has the ports that it exposes,
 * whichever of the two started last.
 */
export function settleClaims<C extends Claim>(claims: readonly C[]): Settled<C> {
  const byAddress = winnersBy(claims, ({ registration: { address } }) => `${address.host} ${String(address.port)}`);
  const byName = winnersBy([...byAddress], ({ registration: { service, id } }) => `${service}/${id}`);
  const outdone = claims.flatMap((claim) => {
    if (byName.has(claim)) return [];
    return [{ ...claim, lost: byAddress.has(claim) ? ('SERVICE_ID' as const) : ('address' as const) }];
  });
  return { claims: claims.filter((claim) => byName.has(claim)), outdone };
}

function winnersBy<C extends Claim>(claims: readonly C[], nameOf: (claim: C) => string): ReadonlySet<C> {
  const winners = new Map<string, C>();
  for (const claim of claims) {
    const name = nameOf(claim);
    const other = winners.get(name);
    if (other === undefined || goesBefore(claim.container, other.container)) winners.set(name, claim);
  }
  return new Set(winners.values());
}

function goesBefore(container: ContainerSnapshot, other: ContainerSnapshot): boolean {
  const [isGuest, otherIsGuest] = [container.networkOf !== null, other.networkOf !== null];
  return isGuest === otherIsGuest ? container.startedAt > other.startedAt : isGuest;
}
