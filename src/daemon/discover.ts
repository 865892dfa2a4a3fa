import type { Problem } from '../core/catalog.js';
import { catalogStateOf } from '../core/catalog-state.js';
import { countsOf, problemsByKind, type DiscoverCounts, type ProblemsByKind } from '../core/discover-counts.js';
import { beyondOf, listenerStatusOf, problemListsOf, type DiscoverStatus } from '../core/discover-status.js';
import { barredProblemsOf } from '../core/haproxy/fixed-binds.js';
import { checkedOf } from '../core/haproxy/check-kind.js';
import { emptyModel, type Model } from '../core/haproxy/model.js';
import { servableBy } from '../core/haproxy/servable.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Trust } from '../core/signers.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import { ListenersRefusedError, PortsTakenError } from '../ports/proxy.js';
import type { Registry } from '../ports/registry.js';
import type { StateStore } from '../ports/state-store.js';
import { createCatalogSource, type CatalogSource, type CatalogSourceOptions } from './catalog-source.js';
import type { Hands, Outcome } from './hands.js';
import { every, runTasks } from './lifecycle.js';
import { createModelBuilder, type HostOptions } from './model-builder.js';
import { createMeteredRounds } from './metered-rounds.js';
import { createProblemLog } from './problem-log.js';
import { createPropagation } from './propagation.js';
import { createReconcileLoop, type QuietPeriod } from './reconcile-loop.js';
import { createStateSaver, restoreState } from './state-saver.js';

export interface DiscoverOptions {
  readonly registry: Registry;
  readonly store: StateStore;
  readonly hands: Hands;
  readonly prefix: string;
  readonly host: HostOptions;
  readonly limits: CatalogSourceOptions['limits'];
  /** What else is not as it should be; the same object until it changes. */
  readonly otherProblems: () => readonly Problem[];
  /** Who is believed; null: everybody. */
  readonly trust: () => Trust | null;
  readonly pollMs: number;
  readonly staleMs: number;
  readonly quiet: QuietPeriod;
  readonly log: Logger;
  readonly meter: Meter;
}

export interface Discover {
  /** Keeps HAProxy, or what else it has in hand, in step with etcd until `signal` fires, then stops it softly. */
  run(signal: AbortSignal): Promise<void>;
  /** Something outside etcd changed: HAProxy exited, or the template is to be read anew. */
  trigger(reason: string): void;
  /** HAProxy runs, and has taken a first catalog: etcd's, or the one that was saved. */
  isReady(): boolean;
  status(signal: AbortSignal): Promise<DiscoverStatus>;
  counts(): DiscoverCounts;
  /** What is not served. */
  problems(): ProblemsByKind;
  /** No round takes longer than any round may. */
  isAlive(): boolean;
}

/** So often HAProxy is asked about all its servers: a large answer, to find only what somebody changed there by hand. */
const lookAtAllMs = 30_000;

export function createDiscover(options: DiscoverOptions): Discover {
  const { registry, store, hands, prefix, host, limits, otherProblems, trust, pollMs, staleMs, quiet, log, meter } =
    options;
  const loop = createReconcileLoop({ quiet, what: 'keeping HAProxy in step', log });
  let source: CatalogSource | null = null;
  let model: Model = emptyModel;
  /** What is not served, by kind. */
  let problems: readonly (readonly Problem[])[] = [];
  const problemLog = createProblemLog(log);
  const propagation = createPropagation(meter);
  const rounds = createMeteredRounds({ meter, metrics: discoverMetrics });
  let ready = false;

  const trigger = (reason: string): void => {
    loop.trigger(reason);
  };

  return {
    trigger,

    isReady: () => ready && hands.isRunning(),

    counts: () => ({
      ...countsOf(model, problems, source?.leftOutCounts()),
      isLive: source?.isLive() ?? false,
      revision: source?.revision() ?? 0,
      isRunning: hands.isRunning(),
      isRefused: hands.fault() !== null,
      checked: checkedOf(model.listeners, host.pacer.current()),
    }),

    problems: () => problemsByKind(problems),

    isAlive: () => rounds.areAlive(),

    async status(signal) {
      const { servers, ...its } = await hands.status(signal);
      const pace = host.pacer.current();
      return {
        ...catalogStateOf(source?.isLive() ?? false, source?.revision() ?? 0),
        ...its,
        fault: hands.fault(),
        checks: { ...pace, byDocker: [...pace.byDocker].sort(), clientHosts: host.pacer.clientHosts() },
        listeners: listenerStatusOf(model, servers, its.output === null ? pace : null),
        problems: problems.flat(),
      };
    },

    async run(signal) {
      const initial = await restoreState(store, log);
      host.pacer.restore(initial.clientHosts);
      const followed = { registry, prefix, pollMs, trust, staleMs, limits, isServable: servableBy(host), log, meter };
      const following = createCatalogSource({
        ...followed,
        initial,
        onNews: (news) => {
          propagation.heard(news);
        },
        onChange: trigger,
      });
      source = following;
      const builder = createModelBuilder({ ...host, proxy: hands, held: initial.held, heldRevision: initial.revision });
      const saver = createStateSaver(store, log);

      const lookAgain = (outcome: Outcome): void => {
        if (outcome === 'settled') return;
        if (outcome === 'changed') loop.trigger('verify');
        else if ('waitMs' in outcome) setTimeout(trigger, outcome.waitMs, 'reload due').unref();
        else
          void outcome.reloading.then(() => {
            loop.trigger('reload ended');
          });
      };

      const reconcile = async (): Promise<void> => {
        if (!hands.startsEmpty && !following.isLive() && following.revision() === 0) return;
        const news = propagation.pending();
        const catalog = following.catalog();
        const [revision, loaded, last] = [following.revision(), hands.loadedPorts(), hands.last()];
        const built = await builder.build({ catalog, revision, isLive: following.isLive(), loaded, last });
        model = built.model;
        const others = [barredProblemsOf(host.fixed, built.barred), otherProblems(), ...beyondOf(catalog, model)];
        problems = [following.leftOut(), ...problemListsOf(catalog, model), ...others];
        problemLog.tell(problems);
        let outcome: Outcome;
        try {
          outcome = await hands.bring(built, signal);
        } catch (error) {
          if (error instanceof PortsTakenError) {
            log.warn({ ports: error.ports }, 'HAProxy could not bind; going on without these ports');
            builder.bar(error.ports);
          } else if (error instanceof ListenersRefusedError) builder.quarantine.refuse(error.listeners, error.model);
          else throw error;
          loop.trigger(error.name);
          return;
        }
        ready ||= revision > 0 && typeof outcome !== 'object' && !hands.isBehind();
        lookAgain(outcome);
        if (outcome === 'settled' && !hands.isBehind()) propagation.arrived(news, model);
        // HAProxy began anew, or with another template: it may take what it refused before.
        if (outcome === 'changed') builder.quarantine.offerAgain();
        if (typeof outcome === 'object' || hands.isBehind()) return;
        if (outcome === 'settled') builder.quarantine.accept();
        // Last known good is what HAProxy took, of what etcd said.
        if (!following.isLive()) return;
        const held = model.listeners;
        const clientHosts = host.pacer.counted();
        saver.note(() => ({ revision, entries: following.entries(), stale: following.stale(), held, clientHosts }));
      };

      loop.trigger('start');
      try {
        await runTasks(
          [
            (both) => following.run(both),
            (both) => loop.run(rounds.of(reconcile, both), both),
            (both) => saver.run(both),
            (both) => hands.run(both),
            // Listeners that linger come to their end, and ports that were taken may be free.
            (both) => every(pollMs, trigger.bind(null, 'tick'), both),
            (both) =>
              every(
                lookAtAllMs,
                () => {
                  hands.lookAtAll();
                  loop.trigger('look at all');
                },
                both,
              ),
          ],
          signal,
        );
      } finally {
        await hands.stop();
      }
    },
  };
}
