import type { ContainerSnapshot } from './container.js';
import { printable } from './result.js';
import type { Registration } from './service.js';

export interface Claim {
  readonly container: ContainerSnapshot;
  readonly registration: Registration;
}

export interface Loss {
  readonly lost: 'address' | 'SERVICE_ID';
  /** Name of the container that has it. */
  readonly winner: string;
}

export interface Settled<C extends Claim> {
  readonly claims: readonly C[];
  /** Those that lost their address, or their name in etcd, to another container. */
  readonly outdone: readonly (C & Loss)[];
}

/**
 * An address belongs to one container, and so does a name in etcd (two may be given one SERVICE_ID). Where two containers
 * claim an address, the older is dead and its end has not been seen yet: Docker gives a host port away again as soon as
 * it is free, before it tells of the death. A container that shares another's network has the ports that it exposes,
 * whichever of the two started last.
 */
export function settleClaims<C extends Claim>(claims: readonly C[]): Settled<C> {
  const byAddress = winnersBy(claims, ({ registration: { address } }) => `${address.host} ${String(address.port)}`);
  const byName = winnersBy(
    claims.filter((claim) => byAddress(claim) === claim),
    ({ registration: { service, id } }) => `${service}/${id}`,
  );
  const left: C[] = [];
  const outdone: (C & Loss)[] = [];
  for (const claim of claims) {
    const lost = byAddress(claim) === claim ? 'SERVICE_ID' : 'address';
    const winner = lost === 'address' ? byAddress(claim) : byName(claim);
    if (winner === claim) left.push(claim);
    else outdone.push({ ...claim, lost, winner: winner.container.name });
  }
  return { claims: left, outdone };
}

/** @returns who has what a claim asks for; itself where it asked for something else than all of them */
function winnersBy<C extends Claim>(claims: readonly C[], nameOf: (claim: C) => string): (claim: C) => C {
  const winners = new Map<string, C>();
  for (const claim of claims) {
    const name = nameOf(claim);
    const other = winners.get(name);
    if (other === undefined || goesBefore(claim.container, other.container)) winners.set(name, claim);
  }
  return (claim) => winners.get(nameOf(claim)) ?? claim;
}

function goesBefore(container: ContainerSnapshot, other: ContainerSnapshot): boolean {
  const [isGuest, otherIsGuest] = [container.networkOf !== null, other.networkOf !== null];
  return isGuest === otherIsGuest ? container.startedAt > other.startedAt : isGuest;
}

/** Why an outdone registration is left out, and what may be done about it. */
export function whyOutdone({ lost, winner }: Loss): { readonly reason: string; readonly mend: string } {
  const other = printable(winner, 128);
  return {
    reason: `its ${lost} belongs to container ${other} of this host`,
    mend:
      lost === 'SERVICE_ID'
        ? 'give each container a SERVICE_ID of its own, or none'
        : `stop the one of the two that is not meant, or have ${other} expose other ports than this one`,
  };
}
