import type { Claim } from '../core/address-claims.js';
import { networkOwnerOf, type ContainerSnapshot } from '../core/container.js';
import { formatValue, keyOf } from '../core/keyspace.js';
import {
  registrationsOf,
  type Circumstances,
  type RegistrationPolicy,
  type Registrations,
} from '../core/registrations.js';
import type { ContainerView } from './container-view.js';

/** A registration as it would stand in etcd. */
export interface KeyedClaim extends Claim {
  readonly key: string;
  readonly value: string;
  readonly source: KeySource;
}

export interface KeySource {
  /** Name of the container. */
  readonly container: string;
  /** It is about to stop. */
  readonly drains: boolean;
}

export interface Contribution extends Omit<Registrations, 'registrations'> {
  readonly container: ContainerSnapshot;
  readonly claims: readonly KeyedClaim[];
}

export interface Contributions {
  /**
   * Works out what those containers contribute that were looked at anew, or whose circumstances are others.
   *
   * @returns by id; null for one that is gone
   */
  renew(eventTimes: ReadonlyMap<string, number>): ReadonlyMap<string, Contribution | null>;
  all(): Iterable<Contribution>;
  find(id: string): Contribution | undefined;
}

/** What each container contributes: a change must not cost as much as all containers of the host. */
export function createContributions(
  prefix: string,
  policy: RegistrationPolicy,
  view: Pick<ContainerView, 'find' | 'isStopping' | 'snapshots' | 'takeTouched'>,
): Contributions {
  const known = new Map<string, Contribution & { readonly circumstances: Circumstances }>();
  /** Those that share another's network, and so hang on what becomes of that one. */
  const guests = new Set<string>();

  const contributionOf = (container: ContainerSnapshot, circumstances: Circumstances): Contribution => {
    const { registrations, ...left } = registrationsOf(container, policy, circumstances);
    const claims = registrations.map((registration) => ({
      container,
      registration,
      key: keyOf(prefix, registration),
      value: formatValue(registration),
      source: { container: container.name, drains: registration.state === 'drain' },
    }));
    return { container, claims, ...left };
  };

  const touched = (): Set<string> => {
    const ids = view.takeTouched();
    if (ids !== null) return new Set([...ids, ...guests]);
    return new Set([...known.keys(), ...[...view.snapshots()].map(({ id }) => id)]);
  };

  return {
    renew(eventTimes) {
      const renewed = new Map<string, Contribution | null>();
      for (const id of touched()) {
        const container = view.find(id);
        guests.delete(id);
        if (container === undefined) {
          if (known.delete(id)) renewed.set(id, null);
          continue;
        }
        const isGuest = container.networkOf !== null;
        if (isGuest) guests.add(id);
        const circumstances = {
          stopping: view.isStopping(id),
          eventAtMs: eventTimes.get(id) ?? null,
          networkOwner: isGuest ? networkOwnerOf(container, [...view.snapshots()]) : null,
        };
        const before = known.get(id);
        if (before?.container === container && areSame(before.circumstances, circumstances)) continue;
        const contribution = contributionOf(container, circumstances);
        known.set(id, { ...contribution, circumstances });
        renewed.set(id, contribution);
      }
      return renewed;
    },
    all: () => known.values(),
    find: (id) => known.get(id),
  };
}

function areSame(a: Circumstances, b: Circumstances): boolean {
  return a.stopping === b.stopping && a.eventAtMs === b.eventAtMs && a.networkOwner === b.networkOwner;
}
