import { formatAddress } from './address.js';
import { parseKey, parseValue } from './keyspace.js';
import type { Registration } from './service.js';

/** A key as it stands in etcd. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Revision at which the key was first put; a put of a key that exists does not change it. */
  readonly createRevision: number;
}

export interface Endpoint extends Registration {
  readonly key: string;
  readonly createRevision: number;
}

/** A key that is not served, and the one reason. */
export interface Problem {
  readonly key: string;
  readonly reason: string;
}

/** What one key says: an endpoint, or why it is rejected. */
export type CatalogRecord =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  | { readonly kind: 'rejected'; readonly key: string; readonly reason: string };

/** All services with their endpoints at one revision. */
export interface Catalog {
  /** Sorted by service name. */
  readonly services: readonly Service[];
  /** Keys that break the grammar. */
  readonly rejected: readonly Problem[];
  /** Keys whose address a newer key claims too. */
  readonly conflicting: readonly Problem[];
}

export interface Service {
  readonly name: string;
  /** Sorted by id. */
  readonly endpoints: readonly Endpoint[];
}

export function recordOf(prefix: string, entry: Entry): CatalogRecord {
  const key = parseKey(prefix, entry.key);
  if (!key.ok) return { kind: 'rejected', key: entry.key, reason: key.reason };
  const value = parseValue(entry.value);
  if (!value.ok) return { kind: 'rejected', key: entry.key, reason: value.reason };
  const endpoint = { ...key.value, ...value.value, key: entry.key, createRevision: entry.createRevision };
  return { kind: 'endpoint', endpoint };
}

/** The same records in any order give the same catalog, on every host. */
export function catalogOf(records: Iterable<CatalogRecord>): Catalog {
  const rejected: Problem[] = [];
  const byAddress = new Map<string, Endpoint[]>();
  for (const record of records) {
    if (record.kind === 'rejected') {
      rejected.push({ key: record.key, reason: record.reason });
      continue;
    }
    const address = formatAddress(record.endpoint.address);
    const claimants = byAddress.get(address);
    if (claimants === undefined) byAddress.set(address, [record.endpoint]);
    else claimants.push(record.endpoint);
  }

  const conflicting: Problem[] = [];
  const winners: Endpoint[] = [];
  for (const [address, claimants] of byAddress) {
    const winner = newestOf(claimants);
    winners.push(winner);
    for (const { key } of claimants) {
      if (key !== winner.key) conflicting.push({ key, reason: `${address} is claimed by the newer ${winner.key}` });
    }
  }

  const byService = new Map<string, Endpoint[]>();
  for (const endpoint of winners) {
    const endpoints = byService.get(endpoint.service);
    if (endpoints === undefined) byService.set(endpoint.service, [endpoint]);
    else endpoints.push(endpoint);
  }
  const services = [...byService].map(([name, endpoints]) => ({
    name,
    endpoints: endpoints.sort((a, b) => compareText(a.id, b.id)),
  }));
  return {
    services: services.sort((a, b) => compareText(a.name, b.name)),
    rejected: rejected.sort((a, b) => compareText(a.key, b.key)),
    conflicting: conflicting.sort((a, b) => compareText(a.key, b.key)),
  };
}

/** The one that registered last; keys of one transaction share their create revision, so the key decides then. */
export function newestOf(endpoints: readonly Endpoint[]): Endpoint {
  return endpoints.reduce((newest, endpoint) => {
    const later = endpoint.createRevision - newest.createRevision || compareText(endpoint.key, newest.key);
    return later > 0 ? endpoint : newest;
  });
}

/** By code units: the same order on every host, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
