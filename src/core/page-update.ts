import type { CatalogState } from './catalog-state.js';
import type { EndpointStatus, ListenerStatus, RecentChange } from './status-parts.js';

// Types alone, and no import but such: the status page, which runs in a browser, reads them too.

/** What the status page is told, as JSON: everything at first, then what changed. */
export interface PageUpdate {
  /** By the daemon's clock, ms since 1970. */
  readonly nowMs: number;
  /** What was told before holds no longer. */
  readonly isWhole: boolean;
  readonly head?: PageHead;
  readonly problems?: PageProblems;
  /** The newest first. */
  readonly changes?: readonly RecentChange[];
  /** New or changed. */
  readonly listeners?: readonly PageListener[];
  /** Names of listeners that are there no longer. */
  readonly gone?: readonly string[];
}

/** As in `DiscoverStatus`, and what this host is. */
export interface PageHead {
  /** Name of the client host. */
  readonly host: string;
  readonly version: string;
  /** Of HAProxy's own page; null where HAProxy is not ours. */
  readonly statsPort: number | null;
  readonly catalog: CatalogState;
  readonly revision: number;
  readonly fault: string | null;
  readonly haproxy: {
    readonly running: boolean;
    readonly workerPid: number | null;
    readonly silence: string | null;
    readonly reloads: number;
    readonly runtimeChanges: number;
    readonly lastReload: { readonly what: string; readonly at: string } | null;
  };
  readonly output: {
    readonly path: string;
    readonly runs: number;
    readonly lastRun: { readonly what: string; readonly at: string } | null;
  } | null;
}

export type ProblemKind = 'refused' | 'forbidden' | 'conflicting' | 'rejected' | 'barred' | 'certificate' | 'limit';

export interface PageProblems {
  readonly counts: Readonly<Record<ProblemKind, number>>;
  /** The first of each kind. */
  readonly shown: readonly PageProblem[];
}

export interface PageProblem {
  readonly kind: ProblemKind;
  readonly key: string;
  readonly reason: string;
}

export interface PageListener extends Omit<ListenerStatus, 'endpoints'> {
  readonly endpoints: readonly PageEndpoint[];
}

export interface PageEndpoint extends Omit<EndpointStatus, 'sinceSeconds' | 'check'> {
  /** Since when it has this status, ms since 1970; null where HAProxy does not say. */
  readonly sinceMs: number | null;
}
