import { listenerAttributesOf } from '../core/attributes.js';
import type { Listener } from '../core/haproxy/listener.js';
import type { Model } from '../core/haproxy/model.js';

/** What HAProxy refused is offered again after this time: the cause may have been the machine's, or a file's that it names. */
const againAfterMs = 60_000;

/**
 * Listeners that HAProxy refuses, one by one. Such a listener goes on as it was taken last, with the endpoints of now if
 * HAProxy takes that; one that it never took is left out. All others are not concerned.
 */
export interface Quarantine {
  /** HAProxy refused these, by name, with its words, of a model that was offered, be it a while ago. */
  refuse(refused: ReadonlyMap<string, string>, model: Model): void;
  /** HAProxy took what was last offered. */
  accept(): void;
  /** Another template, or HAProxy starts anew: what was refused is offered once more. */
  offerAgain(): void;
  /**
   * The model as HAProxy may take it, with what is in quarantine among its problems.
   *
   * @param last what HAProxy took last; while it runs with that, none of it is taken away
   */
  offerOf(model: Model, last: Last): Model;
}

export interface Last {
  readonly model: Model;
  readonly isRunning: boolean;
}

interface Refused {
  /** What the listener asked for. */
  readonly asked: string;
  readonly reason: string;
  /** How many of the ways to have it were refused. */
  readonly ways: number;
  readonly atMs: number;
  /** It is offered once more as it is. */
  readonly again: boolean;
}

export function createQuarantine(): Quarantine {
  const refusals = new Map<string, Refused>();
  /** By what was offered, what was wanted. */
  const wanted = new WeakMap<Model, Model>();

  /** The way to have a listener after so many were refused; null where none is left. */
  const wayOf = (listener: Listener, refused: number, { model, isRunning }: Last): Listener | null => {
    const last = model.listeners.find(({ name }) => name === listener.name);
    if (last === undefined) return refused === 0 ? listener : null;
    const all = [listener, { ...listener, ...listenerAttributesOf(last) }, last];
    const ways = [...new Map(all.map((way) => [JSON.stringify(way), way])).values()];
    return ways[isRunning ? Math.min(refused, ways.length - 1) : refused] ?? null;
  };

  const current = (listener: Listener): Refused | null => {
    const refusal = refusals.get(listener.name);
    if (refusal === undefined) return null;
    if (refusal.asked !== askedOf(listener)) {
      refusals.delete(listener.name);
      return null;
    }
    if (refusal.again || performance.now() - refusal.atMs < againAfterMs) return refusal;
    const again = { ...refusal, again: true };
    refusals.set(listener.name, again);
    return again;
  };

  return {
    refuse(refused, model) {
      const asked = namedOf(wanted.get(model) ?? model);
      for (const [name, reason] of refused) {
        const listener = asked.get(name);
        if (listener === undefined) continue;
        const before = refusals.get(name);
        const ways = before === undefined ? 1 : before.again ? before.ways : before.ways + 1;
        refusals.set(name, { asked: askedOf(listener), reason, ways, atMs: performance.now(), again: false });
      }
    },

    accept() {
      for (const [name, { again }] of refusals) if (again) refusals.delete(name);
    },

    offerAgain() {
      for (const [name, refusal] of refusals) refusals.set(name, { ...refusal, again: true });
    },

    offerOf(model, last) {
      if (refusals.size === 0) return model;
      const asked = namedOf(model);
      for (const name of refusals.keys()) if (!asked.has(name)) refusals.delete(name);
      const problems = [...model.refused];
      const listeners = model.listeners.flatMap((listener) => {
        const refusal = current(listener);
        if (refusal === null) return [listener];
        const way = wayOf(listener, refusal.again ? 0 : refusal.ways, last);
        const stays = wayOf(listener, refusal.ways, last) === null ? '' : ', and it goes on as it was';
        problems.push({ key: listener.name, reason: `HAProxy refuses it${stays}: ${refusal.reason}` });
        return way ?? [];
      });
      const offer = { ...model, listeners, refused: problems };
      wanted.set(offer, model);
      return offer;
    },
  };
}

function namedOf({ listeners }: Model): ReadonlyMap<string, Listener> {
  return new Map(listeners.map((listener) => [listener.name, listener]));
}

/** What of a listener is the user's to choose. */
function askedOf(listener: Listener): string {
  return JSON.stringify(listenerAttributesOf(listener));
}
