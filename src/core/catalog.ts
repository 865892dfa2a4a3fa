import { parseIp } from './address.js';
import { blankValue, drainTargetOf, parseKey, parseValue } from './keyspace.js';
import { isWithin, type Network } from './networks.js';
import type { Registration } from './service.js';
import { signerOf, speakerFor, type Trust } from './signers.js';

/** A key as it stands in etcd. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Revision at which the key was first put; a put of a key that exists does not change it. */
  readonly createRevision: number;
}

/** An entry with the lease on which it hangs; `0` where it hangs on none. */
export interface LeasedEntry extends Entry {
  readonly lease: string;
}

export interface Endpoint extends Registration {
  readonly key: string;
  readonly createRevision: number;
  /** Its key went with its lease, and nobody withdrew it: HAProxy's checks decide over it, for a while. */
  readonly stale: boolean;
}

/** A key that is not served, and the one reason. */
export interface Problem {
  readonly key: string;
  readonly reason: string;
  /** It is longer than this limit allows. */
  readonly limit?: 'key_bytes' | 'value_bytes';
}

/** What one key says: an endpoint, that something is drained by hand, or why it is rejected. */
export type CatalogRecord =
  | ({ readonly kind: 'drain'; readonly key: string } & Drain)
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  | ({ readonly kind: 'rejected' } & Problem);

/** What is drained by hand. */
export interface Drain {
  readonly target: string;
  /** Where its signer may drain; null: everywhere. */
  readonly within: readonly Network[] | null;
}

/** All services with their endpoints at one revision. */
export interface Catalog {
  /** Sorted by service name. */
  readonly services: readonly Service[];
  /** Keys that break the grammar. */
  readonly rejected: readonly Problem[];
  /** Keys whose address a newer key claims too. */
  readonly conflicting: readonly Problem[];
  /** Services, and keys of endpoints, that are more than the limits allow. */
  readonly beyond: Readonly<Record<'services' | 'endpoints', readonly Problem[]>>;
}

export interface Service {
  readonly name: string;
  /** Sorted by id. */
  readonly endpoints: readonly Endpoint[];
}

/** As `blankValue`. */
const blankEndpoint: Endpoint = { ...blankValue, service: '', id: '', key: '', createRevision: 0, stale: false };

/** @param trust null: signatures do not matter */
export function recordOf(prefix: string, entry: Entry, trust: Trust | null = null): CatalogRecord {
  const target = drainTargetOf(prefix, entry.key);
  if (target !== null) return drainRecordOf(target, entry, trust);
  const key = parseKey(prefix, entry.key);
  if (!key.ok) return { kind: 'rejected', key: entry.key, reason: key.reason };
  const value = parseValue(entry.value);
  if (!value.ok) return { kind: 'rejected', key: entry.key, reason: value.reason };
  const speaker = trust === null ? null : speakerFor(value.value.address.host, trust, entry.key, entry.value);
  if (speaker?.ok === false) return { kind: 'rejected', key: entry.key, reason: speaker.reason };
  const { createRevision } = entry;
  const endpoint = Object.assign({ ...blankEndpoint }, key.value, value.value, { key: entry.key, createRevision });
  return { kind: 'endpoint', endpoint };
}

function drainRecordOf(target: string, { key, value }: Entry, trust: Trust | null): CatalogRecord {
  if (trust === null) return { kind: 'drain', key, target, within: null };
  const signer = parseIp(target).ok ? speakerFor(target, trust, key, value) : signerOf(trust, key, value);
  if (!signer.ok) return { kind: 'rejected', key, reason: signer.reason };
  return { kind: 'drain', key, target, within: signer.value.networks };
}

/** The same key, after its lease has gone; who signed it was looked at while it stood. */
export function staleRecordOf(prefix: string, entry: Entry): CatalogRecord {
  const record = recordOf(prefix, entry);
  return record.kind === 'endpoint' ? { kind: 'endpoint', endpoint: { ...record.endpoint, stale: true } } : record;
}

/**
 * The one that registered last; keys of one transaction share their create revision, so the key decides then. A stale one
 * has nothing to say beside one that stands: it may be of an etcd that counted otherwise.
 */
export function newestOf(endpoints: readonly Endpoint[]): Endpoint {
  return endpoints.reduce((newest, endpoint) => (isNewer(endpoint, newest) ? endpoint : newest));
}

function isNewer(a: Endpoint, b: Endpoint): boolean {
  if (a.stale !== b.stale) return b.stale;
  return (a.createRevision - b.createRevision || compareText(a.key, b.key)) > 0;
}

/** By code units: the same order on every host, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whether who drained it may drain this one. */
export function mayDrain({ within }: Drain, { address }: Pick<Endpoint, 'address'>): boolean {
  return within === null || isWithin(within, address.host);
}

/**
 * All that a drain by hand may name to mean this one: its id, its host, or its container's id, where its own has the port behind
 * because the container has several.
 */
export function drainNamesOf({ id, address }: Pick<Endpoint, 'id' | 'address'>): readonly string[] {
  const container = /^(.+):\d{1,5}$/.exec(id)?.[1];
  return container === undefined || parseIp(container).ok ? [id, address.host] : [id, address.host, container];
}
