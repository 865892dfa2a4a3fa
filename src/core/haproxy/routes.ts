import type { RouteKey } from '../http-route.js';
import { compareText } from '../catalog.js';
import type { Model } from './model.js';

/** From route to the name of the listener that it leads to; a map of HAProxy. */
export type Routes = ReadonlyMap<RouteKey, string>;

/** A change of the map that the running worker takes. */
export interface RouteStep {
  readonly kind: 'add' | 'set' | 'del';
  readonly route: RouteKey;
  /** Name of the listener; nothing where it is deleted. */
  readonly listener: string;
}

export function routesOf({ listeners }: Pick<Model, 'listeners'>): Routes {
  const pairs = listeners.flatMap(({ name, routes }) => routes.map((route) => [route, name] as const));
  return new Map(pairs.sort(([a], [b]) => compareText(a, b)));
}

/** The map as a file (configuration manual, 7.3.1 `map_beg`: the longest prefix counts). */
export function formatRoutes(routes: Routes): string {
  return [...routes].map(([route, listener]) => `${route} ${listener}\n`).join('');
}

/**
 * From the map that the worker has to the one that it should have. A route whose listener the worker does not have yet
 * stays away, and what it would take over stays where it leads: the next worker reads it from the file.
 *
 * @param isLoaded the worker has this listener, in mode http
 */
export function planRoutes(observed: Routes, desired: Routes, isLoaded: (listener: string) => boolean): RouteStep[] {
  const steps: RouteStep[] = [];
  for (const [route, listener] of desired) {
    const there = observed.get(route);
    if (there === listener || !isLoaded(listener)) continue;
    steps.push({ kind: there === undefined ? 'add' : 'set', route, listener });
  }
  for (const route of observed.keys()) if (!desired.has(route)) steps.push({ kind: 'del', route, listener: '' });
  return steps;
}

/** The map after these steps. */
export function withSteps(routes: Routes, steps: readonly RouteStep[]): Routes {
  const after = new Map(routes);
  for (const { kind, route, listener } of steps) {
    if (kind === 'del') after.delete(route);
    else after.set(route, listener);
  }
  return after;
}

/** As commands of the runtime API (management guide, 9.3); none of them says anything where it succeeds. */
export function routeCommandOf({ kind, route, listener }: RouteStep, file: string): string {
  return kind === 'del' ? `del map ${file} ${route}` : `${kind} map ${file} ${route} ${listener}`;
}

/**
 * The reply to `show map`: an address, key and value on each line.
 *
 * @returns null where the worker has no such map: its template has no entrance
 * @throws where the reply is something else
 */
export function parseShowMap(reply: string): Routes | null {
  if (reply.startsWith('Unknown map identifier')) return null;
  const rows = reply.split('\n').filter((line) => line !== '');
  const routes = new Map<RouteKey, string>();
  for (const row of rows) {
    const [, route, listener] = /^0x[0-9a-f]+ (\S+) (\S+)$/.exec(row) ?? [];
    if (route === undefined || listener === undefined)
      throw new Error(`HAProxy did not tell its routes: ${JSON.stringify(row.slice(0, 200))}`);
    // The first is the one that counts; a second one was added by hand.
    if (!routes.has(route)) routes.set(route, listener);
  }
  return routes;
}

/** What was rejected of these commands, in HAProxy's words; null: nothing. */
export function parseRoutesReply(reply: string): string | null {
  return (
    reply
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? null
  );
}
