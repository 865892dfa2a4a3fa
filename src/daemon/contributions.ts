import type { Claim } from '../core/address-claims.js';
import { formatAddress } from '../core/address.js';
import type { ContainerSnapshot } from '../core/container.js';
import { formatValue, keyOf } from '../core/keyspace.js';
import {
  registrationsOf,
  type Circumstances,
  type RegistrationPolicy,
  type Registrations,
} from '../core/registrations.js';

/** A registration as it would stand in etcd. */
export interface KeyedClaim extends Claim {
  readonly key: string;
  readonly value: string;
  /** Its address. */
  readonly at: string;
  readonly source: KeySource;
}

export interface KeySource {
  /** Name of the container. */
  readonly container: string;
  /** It is about to stop. */
  readonly drains: boolean;
}

export interface Contribution extends Omit<Registrations, 'registrations'> {
  readonly claims: readonly KeyedClaim[];
}

/**
 * What each container contributes. It is worked out again only where the container was looked at anew, or its circumstances
 * are others: otherwise each change would cost as much as all containers of the host.
 */
export function createContributions(
  prefix: string,
  policy: RegistrationPolicy,
): (container: ContainerSnapshot, circumstances: Circumstances) => Contribution {
  const known = new WeakMap<ContainerSnapshot, { circumstances: Circumstances; contribution: Contribution }>();
  return (container, circumstances) => {
    const before = known.get(container);
    if (before !== undefined && areSame(before.circumstances, circumstances)) return before.contribution;
    const { registrations, ...left } = registrationsOf(container, policy, circumstances);
    const claims = registrations.map((registration) => ({
      container,
      registration,
      key: keyOf(prefix, registration),
      value: formatValue(registration),
      at: formatAddress(registration.address),
      source: { container: container.name, drains: registration.state === 'drain' },
    }));
    const contribution = { claims, ...left };
    known.set(container, { circumstances, contribution });
    return contribution;
  };
}

/** Whether each has an address, and a key, of its own. Nearly always, and found out without a look at who they are. */
export function areApart(claims: readonly KeyedClaim[]): boolean {
  const [addresses, keys] = [new Set<string>(), new Set<string>()];
  for (const { at, key } of claims) {
    addresses.add(at);
    keys.add(key);
  }
  return addresses.size === claims.length && keys.size === claims.length;
}

function areSame(a: Circumstances, b: Circumstances): boolean {
  return a.stopping === b.stopping && a.eventAtMs === b.eventAtMs && a.networkOwner === b.networkOwner;
}
