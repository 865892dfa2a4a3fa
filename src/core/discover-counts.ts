import type { Problem } from './catalog.js';
import type { Model } from './haproxy/model.js';
import type { LimitCounts } from './limits.js';

/** How it is, in numbers. */
export interface DiscoverCounts extends ServedCounts {
  /** etcd answers, and its watch stands. */
  readonly isLive: boolean;
  /** Revision of etcd at which the catalog stands. */
  readonly revision: number;
  /** HAProxy runs. */
  readonly isRunning: boolean;
  /** The desired configuration is not the one that holds. */
  readonly isRefused: boolean;
  /** Listeners by how they are checked; `docker` where a check of layer 4 stands in for that over HTTP. */
  readonly checked: Readonly<Record<'tcp' | 'http' | 'docker', number>>;
}

/** How much is served, and how much is not and why. */
export interface ServedCounts {
  readonly services: number;
  readonly listeners: number;
  readonly endpoints: number;
  /** Endpoints whose registrations expired without a withdrawal. */
  readonly stale: number;
  /** What is not served, by kind: listeners that are refused, endpoints that are forbidden (NETWORKS) or would lead HAProxy to itself, keys that are conflicting or rejected, ports of our own that another process has, certificates that can't be used, what is beyond a limit, those keys too that are rejected for their size. */
  readonly notServed: Readonly<
    Record<'refused' | 'forbidden' | 'conflicting' | 'rejected' | 'barred' | 'certificate' | 'limit', number>
  >;
  /** What is left out because it is more than a limit allows, by limit. */
  readonly overLimit: LimitCounts;
}

/** What is not served, by kind. */
export type ProblemsByKind = Readonly<Record<keyof ServedCounts['notServed'], readonly Problem[]>>;

/**
 * What is not served, list by list.
 *
 * @param problems why keys are left out, then lists as `problemListsOf` gives them, what is barred and the certificates,
 * and at last the services, endpoints and listeners that are beyond a limit
 */
export function problemsByKind(problems: readonly (readonly Problem[])[]): ProblemsByKind {
  const [keys = [], refused = [], forbidden = [], conflicting = [], rejected = [], ...others] = problems;
  const [barred = [], certificate = [], ...beyond] = others;
  return { refused, forbidden, conflicting, rejected, barred, certificate, limit: [keys, ...beyond].flat() };
}

/**
 * @param problems as for `problemsByKind`
 * @param keys how many keys are left out, of which `problems` has but one of each lease
 */
export function countsOf(
  { listeners }: Pick<Model, 'listeners'>,
  problems: readonly (readonly Problem[])[],
  keys: Readonly<Record<'keys' | 'keysPerLease', number>> = { keys: 0, keysPerLease: 0 },
): ServedCounts {
  const { refused, forbidden, conflicting, rejected, barred, certificate } = problemsByKind(problems);
  const [services = 0, endpointsBeyond = 0, listenersBeyond = 0] = problems.slice(7).map((list) => list.length);
  let [endpoints, stale] = [0, 0];
  for (const { servers } of listeners) {
    endpoints += servers.length;
    for (const server of servers) if (server.stale) stale += 1;
  }
  const oversized = (limit: Problem['limit']): number => rejected.filter((one) => one.limit === limit).length;
  const overLimit = {
    key_bytes: oversized('key_bytes'),
    value_bytes: oversized('value_bytes'),
    keys: keys.keys,
    keys_per_lease: keys.keysPerLease,
    services,
    endpoints: endpointsBeyond,
    listeners: listenersBeyond,
  };
  return {
    services: new Set(listeners.map(({ service }) => service)).size,
    listeners: listeners.length,
    endpoints,
    stale,
    notServed: {
      refused: refused.length,
      forbidden: forbidden.length,
      conflicting: conflicting.length,
      rejected: oversized(undefined),
      barred: barred.length,
      certificate: certificate.length,
      limit: Object.values(overLimit).reduce((sum, count) => sum + count, 0),
    },
    overLimit,
  };
}
