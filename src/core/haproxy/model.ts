import { compareText, newestOf, type Endpoint, type Problem, type Service } from '../catalog.js';
import { inTcpMode, listenerAttributesOf, type ListenerAttributes, type ServerAttributes } from '../attributes.js';

/** One `listen` section: one service on one port. */
export interface Listener extends ListenerAttributes {
  /** `<service>:<service port>`; the `:` keeps it apart from every section name of ours, whatever a service is called. */
  readonly name: string;
  readonly service: string;
  /** As the registrations have it. */
  readonly servicePort: number;
  /** On this host: the same, unless it is mapped to another. */
  readonly port: number;
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

/** What HAProxy should be: the input of template and plan. */
export interface Model {
  /** Sorted by name; no two of them share a port. */
  readonly listeners: readonly Listener[];
  /** Listeners that are left out, and why; the key is the listener's name. */
  readonly refused: readonly Problem[];
}

export interface ModelInput {
  /** What the services of the catalog ask for. */
  readonly claims: readonly Claim[];
  /** Listeners of the model before this one: they hold their ports. */
  readonly held: readonly HeldListener[];
  /** Revision of etcd at which that model stood. */
  readonly heldRevision: number;
  /** Why no listener may have a port: denied, or taken by another process. */
  readonly whyBarred: (port: number) => string | null;
  readonly nowMs: number;
  /** How long a listener stays after its last endpoint went. */
  readonly lingerMs: number;
}

export function listenerNameOf(service: string, servicePort: number): string {
  return `${service}:${String(servicePort)}`;
}

export const emptyModel: Model = { listeners: [], refused: [] };

/**
 * Decides the listeners, and which of them has a port that several claim. HAProxy itself starts with two listeners on one
 * port and mixes their traffic, so this is the only guard.
 */
export function modelOf(input: ModelInput): Model {
  const { held, whyBarred } = input;
  const refused: Problem[] = [];
  const byPort = new Map<number, Claim[]>();
  for (const claim of [...input.claims, ...lingering(input)]) {
    const { port, name, empty } = claim.listener;
    refused.push(...claim.refused);
    const reason = whyBarred(port);
    // A listener that lingers without a server has nothing to lose.
    if (reason !== null && empty !== null) continue;
    if (reason !== null) refused.push({ key: name, reason: `port ${String(port)} ${reason}` });
    else byPort.set(port, [...(byPort.get(port) ?? []), claim]);
  }

  const heldPorts = new Map(held.map(({ name, port }) => [name, port]));
  const listeners: Listener[] = [];
  for (const [port, claimants] of byPort) {
    const winner = winnerOf(claimants, heldPorts);
    listeners.push(winner);
    for (const { listener } of claimants) {
      if (listener === winner || listener.empty !== null) continue;
      refused.push({ key: listener.name, reason: `port ${String(port)} is held by service ${winner.service}` });
    }
  }
  return {
    listeners: listeners.sort((a, b) => compareText(a.name, b.name)),
    refused: refused.sort((a, b) => compareText(a.key, b.key)),
  };
}

/** A listener that is asked for; it may have to give way to another on its port. */
export interface Claim {
  readonly listener: Listener;
  /** Create revision of its oldest registration; what decides between two that came without a holder. */
  readonly since: number;
  /** Servers that were left out of it, and why. */
  readonly refused: readonly Problem[];
}

/**
 * One for each service port of a service. Depends on nothing but these two, so that it need be made once.
 *
 * @param portOf the port on this host
 */
export function claimsOf(
  { name, endpoints }: Service,
  portOf: (service: string, servicePort: number) => number,
): Claim[] {
  const byPort = new Map<number, Endpoint[]>();
  for (const endpoint of endpoints) {
    const own = byPort.get(endpoint.servicePort);
    if (own === undefined) byPort.set(endpoint.servicePort, [endpoint]);
    else own.push(endpoint);
  }
  return [...byPort].map(([servicePort, own]) => ({
    listener: listenerOf({ service: name, servicePort, port: portOf(name, servicePort) }, own),
    since: own.reduce((least, { createRevision }) => Math.min(least, createRevision), Infinity),
    refused: [],
  }));
}

function listenerOf(
  { service, servicePort, port }: Pick<Listener, 'service' | 'servicePort' | 'port'>,
  endpoints: readonly Endpoint[],
): Listener {
  const asked = listenerAttributesOf(newestOf(endpoints));
  const attributes = asked.mode === 'tcp' ? inTcpMode(asked) : asked;
  return {
    name: listenerNameOf(service, servicePort),
    service,
    servicePort,
    port,
    ...attributes,
    // A client with a cookie comes to a server of weight 0 all the same: one that drains is taken out at once, and what is
    // connected to it lives on.
    servers: endpoints.filter(({ state }) => attributes.sticky === null || state === 'ready').map(serverOf),
    empty: null,
  };
}

function serverOf(endpoint: Endpoint): Server {
  const { id, address, weight, state, stale, backup, maxconn, proxyProtocol, slowStartMs, zone, tags, others } =
    endpoint;
  return {
    name: id,
    host: address.host,
    port: address.port,
    weight: state === 'drain' ? 0 : weight,
    backup,
    maxconn,
    proxyProtocol,
    slowStartMs,
    zone,
    tags,
    stale,
    others,
  };
}

function lingering({ claims, held, heldRevision, nowMs, lingerMs }: ModelInput): Claim[] {
  const living = new Set(claims.map(({ listener }) => listener.name));
  return held
    .filter(({ name, empty }) => !living.has(name) && nowMs - (empty?.sinceMs ?? nowMs) < lingerMs)
    .map((listener) => {
      const empty = listener.empty ?? { sinceMs: nowMs, revision: heldRevision };
      return { listener: { ...listener, servers: [], empty }, since: 0, refused: [] };
    });
}

/**
 * The holder of a port keeps it, also while it lingers: a service that is being redeployed must not find another's
 * traffic on its port. Only a service that came after the holder was last seen with an endpoint takes over at once. Among several
 * that may have it, the one with the oldest registration wins.
 */
function winnerOf(claimants: readonly Claim[], heldPorts: ReadonlyMap<string, number>): Listener {
  const holder = claimants.find(({ listener: { name, port } }) => heldPorts.get(name) === port);
  if (holder === undefined) return oldestOf(claimants).listener;
  const emptied = holder.listener.empty?.revision ?? Infinity;
  const successors = claimants.filter(({ since }) => since > emptied);
  return successors.length === 0 ? holder.listener : oldestOf(successors).listener;
}

function oldestOf(claims: readonly Claim[]): Claim {
  return claims.reduce((oldest, claim) => {
    const earlier = claim.since - oldest.since || compareText(claim.listener.name, oldest.listener.name);
    return earlier < 0 ? claim : oldest;
  });
}
