import { formatRoute } from '../core/http-route.js';
import { planRoutes, routesOf, withSteps, type Routes } from '../core/haproxy/routes.js';
import type { Logger } from '../ports/log.js';
import type { RouteMap } from '../ports/route-map.js';
import { createLastingFault } from './lasting.js';
import type { ProxyKeeper } from './proxy-keeper.js';

/** In one line of the log. */
const mostTold = 10;

export interface RouteKeeperOptions {
  readonly keeper: ProxyKeeper;
  readonly map: RouteMap;
  readonly log: Logger;
}

/**
 * A keeper that keeps the routes of the HTTP entrance too: the file before anything is loaded, which reads it, then the
 * running worker, so that a new host name needs no reload where its listener is there.
 */
export function createRouteKeeper({ keeper, map, log }: RouteKeeperOptions): ProxyKeeper {
  /** What the running worker has; null where that is in doubt. */
  let known: Routes | null = null;
  const fileFault = createLastingFault(
    {
      fault: 'the file of the routes stays behind; clients see nothing of it',
      end: 'the file of the routes is true again',
    },
    log,
  );
  const fault = createLastingFault(
    { fault: 'HAProxy did not take a change of the routes', end: 'HAProxy has all routes' },
    log,
  );

  /** @returns what the worker has now; null where that is not known */
  const tell = async (believed: Routes | null, desired: Routes, signal: AbortSignal): Promise<Routes | null> => {
    const observed = believed ?? (await map.read(signal));
    // A template without an entrance.
    if (observed === null) return null;
    const inHttp = keeper.last().model.listeners.filter(({ mode }) => mode === 'http');
    const loaded = new Set(inHttp.map(({ name }) => name));
    const steps = planRoutes(observed, desired, (listener) => loaded.has(listener));
    const rejected = steps.length === 0 ? null : await map.apply(steps, signal);
    fault.tell(rejected === null ? null : { rejected });
    if (rejected !== null) return null;
    if (steps.length === 0) return observed;
    const some = steps.slice(0, mostTold).map(({ kind, route }) => `${kind} ${formatRoute(route)}`);
    log.info({ routes: some, count: steps.length }, 'routes changed without a reload');
    return withSteps(observed, steps);
  };

  return {
    ...keeper,

    lookAtAll() {
      known = null;
      keeper.lookAtAll();
    },

    async bring(built, signal) {
      const desired = routesOf(built.model);
      const unwritten = await map.write(desired);
      fileFault.tell(unwritten === null ? null : { error: unwritten });
      const believed = known;
      known = null;
      const outcome = await keeper.bring(built, signal);
      if (outcome === 'changed' || !keeper.last().isRunning) return outcome;
      // A worker that is about to be replaced: what the next one has is to be seen.
      const isSettled = outcome === 'settled';
      const told = await tell(isSettled ? believed : null, desired, signal);
      known = isSettled ? told : null;
      return outcome;
    },
  };
}
