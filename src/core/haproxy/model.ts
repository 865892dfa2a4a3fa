import { compareText, type Problem } from '../catalog.js';
import { formatRoute, routeKeysOf, type RouteKey } from '../http-route.js';
import type { Claim } from './claims.js';
import type { HeldListener, Listener } from './listener.js';
import { winnersOf } from './winners.js';

/** What HAProxy should be: the input of template and plan. */
export interface Model {
  /** Sorted by name; no two of those that are open share a port. */
  readonly listeners: readonly Listener[];
  /** Listeners that are left out, and why; the key is the listener's name. */
  readonly refused: readonly Problem[];
  /** Endpoints at addresses that this host does not use, sorted by key. */
  readonly forbidden: readonly Problem[];
  /** Listeners that are more than the limit allows, sorted by name. */
  readonly beyond: readonly Problem[];
}

/** Why no listener may have a port. */
export interface Barred {
  readonly reason: string;
  /** By the settings of this host, not by another process. */
  readonly byPolicy: boolean;
}

export interface ModelInput {
  /** What the services of the catalog ask for. */
  readonly claims: readonly Claim[];
  /** Endpoints of those services that are left out of the claims, sorted by key. */
  readonly forbidden: readonly Problem[];
  /** Listeners of the model before this one: they hold their ports and routes. */
  readonly held: readonly HeldListener[];
  /** Revision of etcd at which that model stood. */
  readonly heldRevision: number;
  /** This host has an HTTP entrance. */
  readonly hasEntrance: boolean;
  readonly whyBarred: (port: number) => Barred | null;
  readonly nowMs: number;
  /** How long a listener stays after its last endpoint went. */
  readonly lingerMs: number;
  /** So many listeners at the most; the oldest stay, and those that linger go before any that has an endpoint. */
  readonly mostListeners: number;
}

export const emptyModel: Model = { listeners: [], refused: [], forbidden: [], beyond: [] };

/**
 * Decides the listeners, and which of them has a port, or a route of the HTTP entrance, that several claim. HAProxy itself
 * starts with two listeners on one port and mixes their traffic, so this is the only guard.
 */
export function modelOf(input: ModelInput): Model {
  const { held, whyBarred, hasEntrance } = input;
  const claims = [...input.claims, ...lingering(input)];
  const heldPorts = new Map(held.map(({ name, port, isOpen }) => [name, isOpen ? port : null]));
  const heldRoutes = new Map(held.map(({ name, routes }) => [name, new Set(routes)]));
  const byPort = winnersOf(claims, {
    // One that lingers does not ask for a port that it never had.
    wants: ({ port, isOpen }) => (isOpen && whyBarred(port) === null ? [port] : []),
    holds: ({ name }, port) => heldPorts.get(name) === port,
  });
  const byRoute = winnersOf(claims, {
    wants: (listener) => (hasEntrance ? routeKeysOf(listener) : []),
    holds: ({ name }, route) => heldRoutes.get(name)?.has(route) === true,
  });

  const won: Claim[] = [];
  const refused: Problem[] = [];
  for (const claim of claims) {
    const { listener } = claim;
    const { name, port, empty } = listener;
    const barred = whyBarred(port);
    const isOpen = byPort.get(port) === listener;
    const wanted = hasEntrance ? routeKeysOf(listener) : [];
    const routes = wanted.filter((route) => byRoute.get(route) === listener);
    if (isOpen || routes.length > 0) won.push({ ...claim, listener: withWon(listener, { isOpen, routes }) });
    // A listener that lingers without a server has nothing to lose.
    if (empty !== null) continue;
    // Who has a way in by the entrance does not miss a port that this host does not want open.
    const isMissed = !isOpen && !(barred?.byPolicy === true && routes.length > 0);
    if (isMissed)
      refused.push({ key: name, reason: whyNotOpen(listener, { barred, holder: byPort.get(port), routes }) });
    for (const route of wanted) {
      const holder = byRoute.get(route);
      if (holder !== undefined && holder !== listener)
        refused.push({ key: `${name} at ${formatRoute(route)}`, reason: `it ${heldBy(holder)}` });
    }
  }
  return {
    ...withinLimit(won, input.mostListeners),
    refused: refused.sort((a, b) => compareText(a.key, b.key)),
    forbidden: input.forbidden,
  };
}

function withinLimit(claims: Claim[], most: number): Pick<Model, 'listeners' | 'beyond'> {
  const byName = (those: readonly Claim[]): Listener[] =>
    those.map(({ listener }) => listener).sort((a, b) => compareText(a.name, b.name));
  if (claims.length <= most) return { listeners: byName(claims), beyond: [] };
  const age = ({ listener, since }: Claim): number => (listener.empty === null ? since : Infinity);
  const ordered = claims.sort((a, b) =>
    age(a) === age(b) ? compareText(a.listener.name, b.listener.name) : age(a) - age(b),
  );
  const reason = `there are more listeners than ${String(most)} (MAX_LISTENERS), and it is not among the oldest`;
  const beyond = byName(ordered.slice(most)).filter(({ empty }) => empty === null);
  return { listeners: byName(ordered.slice(0, most)), beyond: beyond.map(({ name }) => ({ key: name, reason })) };
}

/** The same object where it has no more and no less than it asked for. */
function withWon(listener: Listener, won: Pick<Listener, 'isOpen' | 'routes'>): Listener {
  const asAsked = won.isOpen === listener.isOpen && won.routes.length === 0 && listener.routes.length === 0;
  return asAsked ? listener : { ...listener, ...won };
}

function heldBy({ service, empty }: Listener): string {
  const lingers = empty === null ? '' : ', which has no endpoint, and lingers (LINGER)';
  return `is held by service ${service}${lingers}`;
}

function whyNotOpen(
  { port }: Listener,
  { barred, holder, routes }: { barred: Barred | null; holder: Listener | undefined; routes: readonly RouteKey[] },
): string {
  const why = barred?.reason ?? (holder === undefined ? 'is not to be had' : heldBy(holder));
  return `port ${String(port)} ${why}${routes.length > 0 ? '; it is served at the HTTP entrance alone' : ''}`;
}

function lingering({ claims, held, heldRevision, nowMs, lingerMs }: ModelInput): Claim[] {
  const living = new Set(claims.map(({ listener }) => listener.name));
  return held
    .filter(({ name, empty }) => !living.has(name) && nowMs - (empty?.sinceMs ?? nowMs) < lingerMs)
    .map((listener) => {
      const empty = listener.empty ?? { sinceMs: nowMs, revision: heldRevision };
      return { listener: { ...listener, routes: [], servers: [], empty }, since: 0 };
    });
}
