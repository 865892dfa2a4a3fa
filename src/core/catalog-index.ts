import { formatAddress } from './address.js';
import {
  compareText,
  isDrainedBy,
  isDrainedUnder,
  newestOf,
  type Catalog,
  type CatalogRecord,
  type Drain,
  type Endpoint,
  type Problem,
  type Service,
} from './catalog.js';

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
export function catalogOf(records: Iterable<CatalogRecord>): Catalog {
  const index = createCatalogIndex();
  for (const record of records) index.set(record);
  return index.catalog();
}

export function createCatalogIndex(): CatalogIndex {
  const endpoints = new Map<string, Endpoint>();
  /** What is drained by hand, by its key. */
  const drains = new Map<string, Drain>();
  const byAddress = createGroups();
  const byService = createGroups();
  /** Services whose endpoints may be others than when the catalog was last asked for. */
  const touched = new Set<string>();
  const services = createSorted<Service>(({ name }) => name);
  const rejected = createSorted<Problem>(({ key }) => key);
  const conflicting = createSorted<Problem>(({ key }) => key);

  /** Who of those that claim an address has it. */
  const decide = (address: string): void => {
    const claimants = byAddress.of(address);
    if (claimants.length === 0) return;
    const winner = newestOf(claimants);
    for (const { key, service } of claimants) {
      touched.add(service);
      if (key === winner.key) conflicting.delete(key);
      else conflicting.set({ key, reason: `${address} is claimed by the newer ${winner.key}` });
    }
  };

  const touchDrained = (target: string): void => {
    for (const endpoint of endpoints.values()) if (isDrainedBy(endpoint, target)) touched.add(endpoint.service);
  };

  const drained = (endpoint: Endpoint): Endpoint => {
    for (const drain of drains.values()) if (isDrainedUnder(endpoint, drain)) return { ...endpoint, state: 'drain' };
    return endpoint;
  };

  const remove = (key: string): void => {
    rejected.delete(key);
    const drain = drains.get(key);
    if (drains.delete(key) && drain !== undefined) touchDrained(drain.target);
    const endpoint = endpoints.get(key);
    if (endpoint === undefined) return;
    const address = formatAddress(endpoint.address);
    endpoints.delete(key);
    byAddress.delete(address, key);
    byService.delete(endpoint.service, key);
    conflicting.delete(key);
    touched.add(endpoint.service);
    decide(address);
  };

  return {
    set(record) {
      if (record.kind === 'rejected') {
        remove(record.key);
        rejected.set({ key: record.key, reason: record.reason });
        return [];
      }
      if (record.kind === 'drain') {
        // It may have been rejected before.
        rejected.delete(record.key);
        drains.set(record.key, record);
        touchDrained(record.target);
        return [];
      }
      const { endpoint } = record;
      remove(endpoint.key);
      const address = formatAddress(endpoint.address);
      const others = byAddress.of(address);
      if (endpoint.stale && others.some(({ stale }) => !stale)) return [endpoint.key];
      const outdone = endpoint.stale ? [] : others.filter(({ stale }) => stale).map(({ key }) => key);
      for (const key of outdone) remove(key);
      endpoints.set(endpoint.key, endpoint);
      byAddress.add(address, endpoint);
      byService.add(endpoint.service, endpoint);
      decide(address);
      return outdone;
    },

    delete: remove,

    catalog() {
      for (const name of touched) {
        const winners = byService.of(name).filter(({ key }) => !conflicting.has(key));
        if (winners.length === 0) services.delete(name);
        else services.set({ name, endpoints: winners.sort((a, b) => compareText(a.id, b.id)).map(drained) });
      }
      touched.clear();
      return { services: services.values(), rejected: rejected.values(), conflicting: conflicting.values() };
    },
  };
}

/** Endpoints by something that several may share. */
interface Groups {
  add(name: string, endpoint: Endpoint): void;
  delete(name: string, key: string): void;
  of(name: string): Endpoint[];
}

function createGroups(): Groups {
  const groups = new Map<string, Map<string, Endpoint>>();
  return {
    add(name, endpoint) {
      const group = groups.get(name) ?? new Map<string, Endpoint>();
      groups.set(name, group.set(endpoint.key, endpoint));
    },
    delete(name, key) {
      const group = groups.get(name);
      group?.delete(key);
      if (group?.size === 0) groups.delete(name);
    },
    of: (name) => [...(groups.get(name)?.values() ?? [])],
  };
}

/** Items by name, and the list of them in order, which is the same one until an item changes. */
interface Sorted<T> {
  has(name: string): boolean;
  set(item: T): void;
  delete(name: string): void;
  values(): readonly T[];
}

function createSorted<T>(nameOf: (item: T) => string): Sorted<T> {
  const items = new Map<string, T>();
  /** In order, but for what came and went since the last look. */
  let names: readonly string[] = [];
  let came = new Set<string>();
  let isOrdered = true;
  let list: readonly T[] | null = [];
  return {
    has: (name) => items.has(name),
    set(item) {
      const name = nameOf(item);
      if (!items.has(name)) {
        came.add(name);
        isOrdered = false;
      }
      list = null;
      items.set(name, item);
    },
    delete(name) {
      if (!items.delete(name)) return;
      came.delete(name);
      isOrdered = false;
      list = null;
    },
    values() {
      if (!isOrdered) {
        // Two runs, of which the first is in order already: to sort them is to merge them.
        const stayed = names.filter((name) => items.has(name) && !came.has(name));
        names = [...stayed, ...[...came].sort(compareText)].sort(compareText);
        came = new Set();
        isOrdered = true;
      }
      list ??= names.flatMap((name) => items.get(name) ?? []);
      return list;
    },
  };
}
