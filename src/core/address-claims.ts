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

/** A name in etcd that has another claim than before: of another container, of the same one worked out anew, or none. */
export interface Turn<C extends Claim> {
  readonly before: C | undefined;
  readonly now: C | undefined;
}

export interface AddressClaims<C extends Claim> {
  /**
   * What containers claim now, by their id, in place of what they claimed. Costs as much as those that claim the same, and
   * not as much as all.
   */
  replace(changes: Iterable<readonly [id: string, claims: readonly C[]]>): Turn<C>[];
  /** Those that have both their address and their name, by that name. Changes with the next `replace`. */
  settled(): ReadonlyMap<string, C>;
  /** Those that lost their address, or their name in etcd, to another container. Changes with the next `replace`. */
  outdone(): ReadonlyMap<C, Loss>;
}

/**
 * An address belongs to one container, and so does a name in etcd (two may be given one SERVICE_ID). Where two containers
 * claim an address, the older is dead and its end has not been seen yet: Docker gives a host port away again as soon as
 * it is free, before it tells of the death. A container that shares another's network has the ports that it exposes,
 * whichever of the two started last.
 */
export function createAddressClaims<C extends Claim>(): AddressClaims<C> {
  const claimsOf = new Map<string, readonly C[]>();
  const byAddress = new Map<string, C[]>();
  const byName = new Map<string, C[]>();
  const settled = new Map<string, C>();
  const outdone = new Map<C, Loss>();

  const ownerOf = (address: string): C | undefined => firstOf(byAddress.get(address) ?? []);

  /** Whose a name is, and what the others that claim it have lost. */
  const settle = (name: string): C | undefined => {
    const contenders = byName.get(name) ?? [];
    const owners = new Map(contenders.map((claim) => [claim, ownerOf(addressOf(claim)) ?? claim]));
    const winner = firstOf(contenders.filter((claim) => owners.get(claim) === claim));
    for (const [claim, owner] of owners) {
      if (claim === winner) outdone.delete(claim);
      else if (owner !== claim) outdone.set(claim, { lost: 'address', winner: owner.container.name });
      else if (winner !== undefined) outdone.set(claim, { lost: 'SERVICE_ID', winner: winner.container.name });
    }
    return winner;
  };

  return {
    settled: () => settled,
    outdone: () => outdone,

    replace(changes) {
      const addresses = new Set<string>();
      const names = new Set<string>();
      for (const [id, claims] of changes) {
        for (const claim of claimsOf.get(id) ?? []) {
          remove(byAddress, addressOf(claim), claim);
          remove(byName, nameOf(claim), claim);
          outdone.delete(claim);
          addresses.add(addressOf(claim));
          names.add(nameOf(claim));
        }
        for (const claim of claims) {
          add(byAddress, addressOf(claim), claim);
          add(byName, nameOf(claim), claim);
          addresses.add(addressOf(claim));
          names.add(nameOf(claim));
        }
        if (claims.length === 0) claimsOf.delete(id);
        else claimsOf.set(id, claims);
      }
      // Whoever wins or loses an address joins or leaves those that claim its name.
      for (const address of addresses) for (const claim of byAddress.get(address) ?? []) names.add(nameOf(claim));
      const turns: Turn<C>[] = [];
      for (const name of names) {
        const [before, now] = [settled.get(name), settle(name)];
        if (before === now) continue;
        if (now === undefined) settled.delete(name);
        else settled.set(name, now);
        turns.push({ before, now });
      }
      return turns;
    },
  };
}

function addressOf({ registration: { address } }: Claim): string {
  return `${address.host} ${String(address.port)}`;
}

function nameOf({ registration: { service, id } }: Claim): string {
  return `${service}/${id}`;
}

function add<C>(index: Map<string, C[]>, at: string, claim: C): void {
  const there = index.get(at);
  if (there === undefined) index.set(at, [claim]);
  else there.push(claim);
}

function remove<C>(index: Map<string, C[]>, at: string, claim: C): void {
  const there = index.get(at);
  if (there === undefined) return;
  there.splice(there.indexOf(claim), 1);
  if (there.length === 0) index.delete(at);
}

function firstOf<C extends Claim>(claims: readonly C[]): C | undefined {
  let [first] = claims;
  for (const claim of claims) if (first !== undefined && goesBefore(claim.container, first.container)) first = claim;
  return first;
}

function goesBefore(container: ContainerSnapshot, other: ContainerSnapshot): boolean {
  const [isGuest, otherIsGuest] = [container.networkOf !== null, other.networkOf !== null];
  if (isGuest !== otherIsGuest) return isGuest;
  if (container.startedAt !== other.startedAt) return container.startedAt > other.startedAt;
  return container.id < other.id;
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
