import { formatAddress } from './address.js';
import type { ContainerSnapshot } from './container.js';
import type { Registration } from './service.js';

export interface Claim {
  readonly container: ContainerSnapshot;
  readonly registration: Registration;
}

export interface Settled {
  readonly claims: readonly Claim[];
  /** Those that lost their address to a container that started later. */
  readonly outdone: readonly Claim[];
}

/**
 * An address belongs to one container. Where two claim it, the older is dead and its end has not been seen yet: Docker gives a
 * host port away again as soon as it is free, before it tells of the death.
 */
export function settleAddresses(claims: readonly Claim[]): Settled {
  const owners = new Map<string, Claim>();
  for (const claim of claims) {
    const address = formatAddress(claim.registration.address);
    const owner = owners.get(address);
    if (owner === undefined || owner.container.startedAt < claim.container.startedAt) owners.set(address, claim);
  }
  const wins = new Set(owners.values());
  return { claims: claims.filter((claim) => wins.has(claim)), outdone: claims.filter((claim) => !wins.has(claim)) };
}
