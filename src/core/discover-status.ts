import type { Catalog, Problem } from './catalog.js';
import type { CatalogState } from './catalog-state.js';
import { formatAddress } from './address.js';
import { formatRoute } from './http-route.js';
import { listenerCheckOf } from './haproxy/check-kind.js';
import type { CheckPace } from './haproxy/check-pace.js';
import type { Server } from './haproxy/listener.js';
import type { Model } from './haproxy/model.js';
import type { ServerStatus } from './haproxy/replies.js';
import type { ListenerStatus, RecentChange } from './status-parts.js';

export type { EndpointStatus, ListenerStatus, RecentChange } from './status-parts.js';

/** What `docker-discover ls --json` prints; a public interface. */
export interface DiscoverStatus {
  readonly catalog: CatalogState;
  /** Revision of etcd at which the catalog stands. */
  readonly revision: number;
  readonly haproxy: {
    readonly running: boolean;
    readonly workerPid: number | null;
    /** Why it could not be asked, while it starts or hangs; null where it answered. */
    readonly silence: string | null;
    readonly reloads: number;
    /** Changes of servers without a reload. */
    readonly runtimeChanges: number;
    readonly lastReload: { readonly what: string; readonly at: string } | null;
    readonly lastChange: { readonly what: string; readonly at: string } | null;
  };
  /** How often endpoints are checked whose service has no time of its own. */
  readonly checks: Omit<CheckPace, 'byDocker'> & {
    /** Names of listeners whose HTTP checks are those of layer 4 meanwhile. */
    readonly byDocker: readonly string[];
    /** Null while nobody has told how many there are. */
    readonly clientHosts: number | null;
  };
  /** The file that is rendered for another proxy; null where HAProxy is ours. */
  readonly output: {
    readonly path: string;
    /** How often the command ran, and succeeded. */
    readonly runs: number;
    readonly lastRun: { readonly what: string; readonly at: string } | null;
  } | null;
  /** Why the desired configuration is not the running one; null where it is. */
  readonly fault: string | null;
  readonly listeners: readonly ListenerStatus[];
  /** Listeners that are left out, endpoints that are forbidden, keys that are rejected or conflicting, with their reasons. */
  readonly problems: readonly Problem[];
  /** What was done of late, the newest first. */
  readonly changes: readonly RecentChange[];
}

/**
 * @param servers null where HAProxy does not answer
 * @param pace null where the proxy is not ours
 */
export function listenerStatusOf(
  model: Model,
  servers: readonly ServerStatus[] | null,
  pace: CheckPace | null,
): ListenerStatus[] {
  const byName = new Map((servers ?? []).map((server) => [`${server.listener}/${server.server}`, server]));
  return model.listeners.map((listener) => ({
    name: listener.name,
    service: listener.service,
    port: listener.isOpen ? listener.port : null,
    routes: listener.routes.map(formatRoute),
    check: pace === null ? null : listenerCheckOf(listener, pace),
    endpoints: listener.servers.map((server) => {
      const observed = byName.get(`${listener.name}/${server.name}`);
      return {
        id: server.name,
        address: formatAddress(server),
        weight: server.weight,
        zone: server.zone,
        status: servers === null ? 'unknown' : statusOf(server, observed),
        check: observed?.check ?? '',
        checkText: observed?.checkText ?? '',
        sinceSeconds: observed?.sinceSeconds ?? null,
        sessions: observed?.sessions ?? 0,
        stale: server.stale,
      };
    }),
  }));
}

/** What is not served, by kind; each list is sorted by key, and the same object until it changes. */
export function problemListsOf(catalog: Catalog, model: Model): readonly (readonly Problem[])[] {
  return [model.refused, model.forbidden, catalog.conflicting, catalog.rejected];
}

/** What is beyond a limit: services, endpoints, listeners; lists of the same kind. */
export function beyondOf({ beyond }: Catalog, model: Model): readonly (readonly Problem[])[] {
  return [beyond.services, beyond.endpoints, model.beyond];
}

/** HAProxy itself calls a server of weight 0 `UP`. */
function statusOf({ weight }: Server, observed: ServerStatus | undefined): string {
  if (observed === undefined) return 'not loaded';
  return weight === 0 && observed.status === 'UP' ? 'DRAIN' : observed.status;
}
