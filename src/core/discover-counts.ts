import type { Problem } from './catalog.js';
import type { Model } from './haproxy/model.js';

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
}

/** How much is served, and how much is not and why. */
export interface ServedCounts {
  readonly services: number;
  readonly listeners: number;
  readonly endpoints: number;
  /** Endpoints whose registrations expired without a withdrawal. */
  readonly stale: number;
  /** What is not served, by kind: listeners that are refused, endpoints that are forbidden (NETWORKS), keys that are conflicting or rejected, ports of our own that another process has, certificates that can't be used. */
  readonly notServed: Readonly<
    Record<'refused' | 'forbidden' | 'conflicting' | 'rejected' | 'barred' | 'certificate', number>
  >;
}

/** What is not served, by kind. */
export type ProblemsByKind = Readonly<Record<keyof ServedCounts['notServed'], readonly Problem[]>>;

/** @param problems lists as `problemListsOf` gives them, then what is barred and the certificates */
export function problemsByKind([
  refused = [],
  forbidden = [],
  conflicting = [],
  rejected = [],
  barred = [],
  certificate = [],
]: readonly (readonly Problem[])[]): ProblemsByKind {
  return { refused, forbidden, conflicting, rejected, barred, certificate };
}

/** @param problems lists as `problemListsOf` gives them, then what is barred and the certificates */
export function countsOf(
  { listeners }: Pick<Model, 'listeners'>,
  problems: readonly (readonly Problem[])[],
): ServedCounts {
  const { refused, forbidden, conflicting, rejected, barred, certificate } = problemsByKind(problems);
  let [endpoints, stale] = [0, 0];
  for (const { servers } of listeners) {
    endpoints += servers.length;
    for (const server of servers) if (server.stale) stale += 1;
  }
  return {
    services: new Set(listeners.map(({ service }) => service)).size,
    listeners: listeners.length,
    endpoints,
    stale,
    notServed: {
      refused: refused.length,
      forbidden: forbidden.length,
      conflicting: conflicting.length,
      rejected: rejected.length,
      barred: barred.length,
      certificate: certificate.length,
    },
  };
}
