import { compareText } from '../catalog.js';
import type { Listener, Model } from './model.js';

/** A change that the running worker takes over its runtime API. */
export interface SetWeight {
  readonly kind: 'set weight';
  readonly listener: string;
  readonly server: string;
  readonly weight: number;
}

export type Step = SetWeight;

export type Plan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'runtime'; readonly steps: readonly Step[] }
  | { readonly kind: 'reload'; readonly reason: string };

/** What runs: read back from HAProxy where it can be, remembered from the last reload where it can't. */
export interface Observed {
  /** The model with which the worker started; null where none runs. */
  readonly loaded: Model | null;
  /** The frame around the listeners (template, settings, stats page) with which the worker started. */
  readonly loadedFrame: string;
  /** Weight that each server has now, by listener and server name; from `show servers state`. */
  readonly weights: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface Desired {
  readonly model: Model;
  readonly frame: string;
}

/** Decides how HAProxy gets from observed to desired. Every reload has a reason; only what the runtime API can't do is one. */
export function planOf(observed: Observed, desired: Desired): Plan {
  const { loaded } = observed;
  if (loaded === null) return { kind: 'reload', reason: 'HAProxy is not running' };
  if (observed.loadedFrame !== desired.frame) return { kind: 'reload', reason: 'template or settings changed' };
  const changes = changesOf(loaded, desired.model);
  if (changes.length > 0) return { kind: 'reload', reason: summaryOf(changes) };
  const steps = desired.model.listeners.flatMap((listener) =>
    weightSteps(listener, observed.weights.get(listener.name)),
  );
  return steps.length === 0 ? { kind: 'nothing' } : { kind: 'runtime', steps };
}

function changesOf(loaded: Model, desired: Model): string[] {
  const before = new Map(loaded.listeners.map((listener) => [listener.name, listener]));
  const after = new Map(desired.listeners.map((listener) => [listener.name, listener]));
  const names = [...new Set([...before.keys(), ...after.keys()])].sort(compareText);
  return names.flatMap((name) => listenerChanges(name, before.get(name), after.get(name)));
}

function listenerChanges(name: string, before: Listener | undefined, after: Listener | undefined): string[] {
  if (after === undefined) return [`listener ${name} removed`];
  if (before === undefined) return [`listener ${name} added`];
  const changes: string[] = [];
  for (const attribute of ['mode', 'balance', 'check'] as const) {
    if (before[attribute] !== after[attribute])
      changes.push(`${attribute} of ${name} changed to ${after[attribute] ?? 'tcp'}`);
  }
  const servers = new Map(before.servers.map((server) => [server.name, server]));
  for (const { name: server, host, port } of after.servers) {
    const old = servers.get(server);
    servers.delete(server);
    if (old === undefined) changes.push(`server ${name}/${server} added`);
    else if (old.host !== host || old.port !== port) changes.push(`server ${name}/${server} moved`);
  }
  for (const server of servers.keys()) changes.push(`server ${name}/${server} removed`);
  return changes;
}

function weightSteps(listener: Listener, observed: ReadonlyMap<string, number> | undefined): Step[] {
  return listener.servers
    .filter(({ name, weight }) => observed?.has(name) === true && observed.get(name) !== weight)
    .map(({ name, weight }) => ({ kind: 'set weight', listener: listener.name, server: name, weight }));
}

function summaryOf(changes: readonly string[]): string {
  const [first = '', second] = changes;
  if (second === undefined) return first;
  return changes.length === 2 ? `${first}, ${second}` : `${first} and ${String(changes.length - 1)} more changes`;
}
