import { formatAddress } from './address.js';
import {
  compareText,
  drainNamesOf,
  mayDrain,
  newestOf,
  type Catalog,
  type CatalogRecord,
  type Drain,
  type Endpoint,
  type Problem,
  type Service,
} from './catalog.js';
import { createGroups } from './groups.js';
import { defaultLimits, type DiscoverLimits } from './limits.js';
import { createJoined, oldestEndpoints, oldestServices } from './oldest-services.js';
import { createSorted } from './sorted.js';

/**
 * A catalog that follows its keys one by one: what a change costs depends on the services and addresses that it touches,
 * not on how many there are.
 */
export interface CatalogIndex {
  /**
   * A key was put: what it says now.
   *
   * @returns stale keys that are forgotten, because a key that stands claims their address; this one itself may be among them
   */
  set(record: CatalogRecord): readonly string[];
  delete(key: string): void;
  /** Services, and lists of problems, that were not touched since the last call are the same objects as then. */
  catalog(): Catalog;
}

/** The same records in any order give the same catalog, on every host. */
export function catalogOf(
  records: Iterable<CatalogRecord>,
  limits?: CatalogLimits,
  isServable?: (endpoint: Endpoint) => boolean,
): Catalog {
  const index = createCatalogIndex(limits, isServable);
  for (const record of records) index.set(record);
  return index.catalog();
}

export type CatalogLimits = Pick<DiscoverLimits, 'services' | 'endpoints'>;

/** @param isServable whether an endpoint could be served at all; one that could not takes no address from one that can */
export function createCatalogIndex(
  limits: CatalogLimits = defaultLimits,
  isServable: (endpoint: Endpoint) => boolean = () => true,
): CatalogIndex {
  const endpoints = new Map<string, Endpoint>();
  /** What is drained by hand, by its key. */
  const drains = new Map<string, Drain>();
  /** The keys that say so, by what they drain. */
  const drainKeys = new Map<string, Set<string>>();
  const byAddress = createGroups<Endpoint>();
  const byService = createGroups<Endpoint>();
  const byDrainName = createGroups<Endpoint>();
  /** Addresses that may have another holder than when the catalog was last asked for, and services with other endpoints. */
  const contested = new Set<string>();
  const touched = new Set<string>();
  const services = createSorted<Service>(({ name }) => name);
  const rejected = createSorted<Problem>(({ key }) => key);
  const conflicting = createSorted<Problem>(({ key }) => key);
  const cut = oldestServices(limits.services);
  const crowded = createSorted<{ readonly name: string; readonly beyond: readonly Problem[] }>(({ name }) => name);
  const joined = createJoined();

  /** Who of those that claim an address has it. */
  const decide = (address: string): void => {
    const claimants = byAddress.of(address);
    if (claimants.length === 0) return;
    const servable = claimants.length === 1 ? claimants : claimants.filter(isServable);
    const winner = newestOf(servable.length === 0 ? claimants : servable);
    for (const claimant of claimants) {
      const { key, service } = claimant;
      touched.add(service);
      if (key === winner.key) conflicting.delete(key);
      else conflicting.set({ key, reason: `${address} is claimed by ${rivalOf(claimant, winner)}` });
    }
  };

  const touchDrained = (target: string): void => {
    for (const { service } of byDrainName.of(target)) touched.add(service);
  };

  const isDrained = (endpoint: Endpoint): boolean =>
    drains.size > 0 &&
    drainNamesOf(endpoint).some((name) =>
      [...(drainKeys.get(name) ?? [])].some((key) => {
        const drain = drains.get(key);
        return drain !== undefined && mayDrain(drain, endpoint);
      }),
    );
  const drained = (endpoint: Endpoint): Endpoint => (isDrained(endpoint) ? { ...endpoint, state: 'drain' } : endpoint);

  const undrain = (key: string): void => {
    const target = drains.get(key)?.target;
    if (target === undefined) return;
    drains.delete(key);
    const keys = drainKeys.get(target);
    keys?.delete(key);
    if (keys?.size === 0) drainKeys.delete(target);
    touchDrained(target);
  };

  const remove = (key: string): void => {
    rejected.delete(key);
    undrain(key);
    const endpoint = endpoints.get(key);
    if (endpoint === undefined) return;
    const address = formatAddress(endpoint.address);
    endpoints.delete(key);
    byAddress.delete(address, key);
    byService.delete(endpoint.service, key);
    for (const name of drainNamesOf(endpoint)) byDrainName.delete(name, key);
    conflicting.delete(key);
    touched.add(endpoint.service);
    contested.add(address);
  };

  /** What of a service is served. */
  const decideService = (name: string): void => {
    const winners = byService.of(name).filter(({ key }) => !conflicting.has(key));
    const { taken, beyond } = oldestEndpoints(winners, limits.endpoints);
    if (beyond.length === 0) crowded.delete(name);
    else crowded.set({ name, beyond });
    if (taken.length === 0) services.delete(name);
    else services.set({ name, endpoints: taken.sort((a, b) => compareText(a.id, b.id)).map(drained) });
  };

  return {
    set(record) {
      if (record.kind === 'rejected') {
        remove(record.key);
        const { key, reason, limit } = record;
        rejected.set({ key, reason, ...(limit !== undefined && { limit }) });
        return [];
      }
      if (record.kind === 'drain') {
        // It may have been rejected before.
        rejected.delete(record.key);
        drains.set(record.key, record);
        drainKeys.set(record.target, (drainKeys.get(record.target) ?? new Set<string>()).add(record.key));
        touchDrained(record.target);
        return [];
      }
      const { endpoint } = record;
      remove(endpoint.key);
      const address = formatAddress(endpoint.address);
      // Either all of them stand, or all are stale.
      const areStale = byAddress.first(address)?.stale;
      if (endpoint.stale && areStale === false) return [endpoint.key];
      const outdone = !endpoint.stale && areStale === true ? byAddress.of(address).map(({ key }) => key) : [];
      for (const key of outdone) remove(key);
      endpoints.set(endpoint.key, endpoint);
      byAddress.add(address, endpoint);
      byService.add(endpoint.service, endpoint);
      for (const name of drainNamesOf(endpoint)) byDrainName.add(name, endpoint);
      touched.add(endpoint.service);
      contested.add(address);
      return outdone;
    },

    delete: remove,

    catalog() {
      for (const address of contested) decide(address);
      contested.clear();
      for (const name of touched) decideService(name);
      touched.clear();
      const ofServices = cut(services.values());
      return {
        services: ofServices.taken,
        rejected: rejected.values(),
        conflicting: conflicting.values(),
        beyond: { services: ofServices.beyond, endpoints: joined(crowded.values()) },
      };
    },
  };
}

function rivalOf(loser: Endpoint, winner: Endpoint): string {
  if (newestOf([loser, winner]) === winner) return `the newer ${winner.key}`;
  return `${winner.key} too, which is older, and the one of them that this host may serve`;
}
