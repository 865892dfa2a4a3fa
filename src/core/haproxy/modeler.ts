import { routeKeysOf } from '../http-route.js';
import type { Claim } from './claims.js';
import type { Listener } from './listener.js';
import { modelOf, type Model, type ModelInput } from './model.js';

/** A model in which each claim has what it asks for, and nobody else's. */
interface Uncontested {
  readonly hasEntrance: boolean;
  readonly claims: readonly Claim[];
  readonly model: Model;
  /** By the place of a claim, that of its listener in the model. */
  readonly places: readonly number[];
}

/**
 * What `modelOf` gives, for who decides again and again. Most changes are those of servers: while every listener has its port, and asks for no
 * other, nothing is decided anew. Where nothing changes the model is the same object as before.
 */
export function createModeler(): (input: ModelInput) => Model {
  let last: Uncontested | null = null;
  return (input) => {
    const again = last === null ? null : withOtherServers(last, input);
    if (again !== null) {
      last = again;
      return again.model;
    }
    const model = modelOf(input);
    last = uncontested(input, model);
    return model;
  };
}

/** Null where the port of one, a route, or a listener that is there no more has to be decided on. */
function withOtherServers(last: Uncontested, input: ModelInput): Uncontested | null {
  const { claims, held, hasEntrance, forbidden, whyBarred, mostListeners } = input;
  const { listeners: before } = last.model;
  if (hasEntrance !== last.hasEntrance || claims.length !== last.claims.length || claims.length > mostListeners)
    return null;
  // None lingers: held is what has a claim.
  if (held.length !== before.length || !held.every(({ name }, at) => before[at]?.name === name)) return null;
  const others: { readonly place: number; readonly listener: Listener }[] = [];
  for (let at = 0; at < claims.length; at += 1) {
    const [listener, was] = [claims[at]?.listener, last.claims[at]?.listener];
    if (listener === undefined || was === undefined || whyBarred(listener.port) !== null) return null;
    if (listener === was) continue;
    if (!asksForOnly(listener, was, hasEntrance)) return null;
    others.push({ place: last.places[at] ?? 0, listener });
  }
  if (others.length === 0 && forbidden === last.model.forbidden) return { ...last, claims };
  const listeners = [...before];
  for (const { place, listener } of others) listeners[place] = listener;
  return { ...last, claims, model: { ...last.model, forbidden, listeners } };
}

/** Whether it wants the port of that other one, and nothing else. */
function asksForOnly(listener: Listener, other: Listener, hasEntrance: boolean): boolean {
  const isSame = listener.name === other.name && listener.port === other.port;
  return isSame && !(hasEntrance && routeKeysOf(listener).length > 0);
}

function uncontested({ claims, hasEntrance }: ModelInput, model: Model): Uncontested | null {
  const { listeners, refused } = model;
  // A route may be held by one that lingers, and for which there was no room.
  if (refused.length > 0 || listeners.length !== claims.length) return null;
  // What has a route, or not its port, is another object than the claim's.
  const placeOf = new Map(listeners.map((listener, at) => [listener, at]));
  const places = claims.flatMap(({ listener }) => placeOf.get(listener) ?? []);
  return places.length === claims.length ? { hasEntrance, claims, model, places } : null;
}
