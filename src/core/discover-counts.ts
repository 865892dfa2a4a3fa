import type { Problem } from './catalog.js';
import type { Model } from './haproxy/model.js';

/** How much is served, and how much is not and why. */
export interface DiscoverCounts {
  readonly listeners: number;
  readonly endpoints: number;
  /** Endpoints whose registrations expired without a withdrawal. */
  readonly stale: number;
  /** What is not served, by kind: listeners that are refused, keys that are conflicting or rejected. */
  readonly notServed: Readonly<Record<'refused' | 'conflicting' | 'rejected', number>>;
}

/** @param problems lists as `problemListsOf` gives them */
export function countsOf(
  { listeners }: Pick<Model, 'listeners'>,
  [refused = [], conflicting = [], rejected = []]: readonly (readonly Problem[])[],
): DiscoverCounts {
  let [endpoints, stale] = [0, 0];
  for (const { servers } of listeners) {
    endpoints += servers.length;
    for (const server of servers) if (server.stale) stale += 1;
  }
  return {
    listeners: listeners.length,
    endpoints,
    stale,
    notServed: { refused: refused.length, conflicting: conflicting.length, rejected: rejected.length },
  };
}
