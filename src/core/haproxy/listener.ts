import type { ListenerAttributes, ServerAttributes } from '../attributes.js';
import type { RouteKey } from '../http-route.js';

/** One service on one port of this host, at the HTTP entrance, or both: a `listen` section, or a `backend`. */
export interface Listener extends ListenerAttributes {
  /** `<service>:<service port>`; the `:` keeps it apart from every section name of ours, whatever a service is called. */
  readonly name: string;
  readonly service: string;
  /** As the registrations have it. */
  readonly servicePort: number;
  /** On this host: the same, unless it is mapped to another. */
  readonly port: number;
  /** It has that port; otherwise only the HTTP entrance leads to it. */
  readonly isOpen: boolean;
  /** What of the HTTP entrance leads to it: those of its attributes that no other service holds. */
  readonly routes: readonly RouteKey[];
  /** Sorted by name. Empty while the listener lingers. */
  readonly servers: readonly Server[];
  /** Since when it has no endpoint, and the last revision at which it had one; null while it has one. */
  readonly empty: { readonly sinceMs: number; readonly revision: number } | null;
}

/** A listener that had its port before, whoever its servers were. */
export type HeldListener = Omit<Listener, 'servers'>;

export interface Server extends Omit<ServerAttributes, 'state'> {
  /** The registration's id. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** 0 drains: no new connections, requests under way finish. */
  readonly weight: number;
  /** Its registration has expired without a withdrawal. */
  readonly stale: boolean;
  /** Attributes that mean nothing to us, for templates. */
  readonly others: ReadonlyMap<string, string>;
}

export function listenerNameOf(service: string, servicePort: number): string {
  return `${service}:${String(servicePort)}`;
}
