import type { Problem } from '../core/catalog.js';
import { countsOf, type DiscoverCounts } from '../core/discover-counts.js';
import { listenerStatusOf, problemListsOf, type DiscoverStatus } from '../core/discover-status.js';
import { whyBarred } from '../core/haproxy/fixed-binds.js';
import { emptyModel, type Model } from '../core/haproxy/model.js';
import { emptyState, parseLastKnownGood, type LastKnownGood } from '../core/last-known-good.js';
import type { Logger } from '../ports/log.js';
import { ListenersRefusedError, PortsTakenError } from '../ports/proxy.js';
import type { Registry } from '../ports/registry.js';
import type { StateStore } from '../ports/state-store.js';
import { createCatalogSource, type CatalogSource } from './catalog-source.js';
import type { Hands, Outcome } from './hands.js';
import { every, runTasks } from './lifecycle.js';
import { createModelBuilder, type HostOptions } from './model-builder.js';
import { createProblemLog } from './problem-log.js';
import { createReconcileLoop, type QuietPeriod } from './reconcile-loop.js';
import { createStateSaver } from './state-saver.js';

export interface DiscoverOptions {
  readonly registry: Registry;
  readonly store: StateStore;
  readonly hands: Hands;
  readonly prefix: string;
  readonly host: HostOptions;
  /** What else is not as it should be; the same object until it changes. */
  readonly otherProblems: () => readonly Problem[];
  readonly pollMs: number;
  readonly staleMs: number;
  readonly quiet: QuietPeriod;
  readonly log: Logger;
}

export interface Discover {
  /** Keeps HAProxy, or what else it has in hand, in step with etcd until `signal` fires, then stops it softly. */
  run(signal: AbortSignal): Promise<void>;
  /** Something outside etcd changed: HAProxy exited, or the template is to be read anew. */
  trigger(reason: string): void;
  /** HAProxy runs, and has taken a configuration. */
  isReady(): boolean;
  status(signal: AbortSignal): Promise<DiscoverStatus>;
  counts(): DiscoverCounts;
}

/** So often HAProxy is asked about all its servers: a large answer, to find only what somebody changed there by hand. */
const lookAtAllMs = 30_000;

export function createDiscover(options: DiscoverOptions): Discover {
  const { registry, store, hands, prefix, host, otherProblems, pollMs, staleMs, quiet, log } = options;
  const loop = createReconcileLoop({ quiet, what: 'keeping HAProxy in step', log });
  let source: CatalogSource | null = null;
  let model: Model = emptyModel;
  /** What is not served, by kind. */
  let problems: readonly (readonly Problem[])[] = [];
  const problemLog = createProblemLog(log);
  let ready = false;

  const restore = async (): Promise<LastKnownGood> => {
    const text = await store.load();
    const saved = text === null ? null : parseLastKnownGood(text);
    if (saved?.ok === true) {
      log.info(
        { revision: saved.value.revision, registrations: saved.value.entries.length },
        'serving the last known good state until etcd answers',
      );
      return saved.value;
    }
    if (saved !== null) log.warn({ reason: saved.reason }, 'the saved state can not be used; starting empty');
    return emptyState;
  };

  return {
    trigger: (reason) => {
      loop.trigger(reason);
    },

    isReady: () => ready && hands.isRunning(),

    counts: () => countsOf(model, problems),

    async status(signal) {
      const { servers, ...its } = await hands.status(signal);
      return {
        catalog: source?.isLive() === true ? 'live' : 'last known good',
        revision: source?.revision() ?? 0,
        ...its,
        fault: hands.fault(),
        listeners: listenerStatusOf(model, servers),
        problems: problems.flat(),
      };
    },

    async run(signal) {
      const initial = await restore();
      const onChange = (reason: string): void => {
        loop.trigger(reason);
      };
      const following = createCatalogSource({ registry, prefix, pollMs, initial, staleMs, log, onChange });
      source = following;
      const builder = createModelBuilder({ ...host, proxy: hands, held: initial.held, heldRevision: initial.revision });
      const saver = createStateSaver(store, log);

      const lookAgain = (outcome: Outcome): void => {
        if (outcome === 'settled') return;
        if (outcome === 'changed') loop.trigger('verify');
        else if ('waitMs' in outcome) setTimeout(onChange, outcome.waitMs, 'reload due').unref();
        else
          void outcome.reloading.then(() => {
            loop.trigger('reload ended');
          });
      };

      const reconcile = async (): Promise<void> => {
        if (!hands.startsEmpty && !following.isLive() && following.revision() === 0) return;
        const catalog = following.catalog();
        const [revision, loaded, last] = [following.revision(), hands.loadedPorts(), hands.last()];
        const built = await builder.build({ catalog, revision, loaded, last });
        model = built.model;
        const barred = host.fixed.filter(({ name }) => built.barred.has(name));
        const barredProblems = barred.map((one) => ({ key: one.name, reason: whyBarred(one) }));
        problems = [...problemListsOf(catalog, model), barredProblems, otherProblems()];
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
        ready = true;
        lookAgain(outcome);
        // HAProxy began anew, or with another template: it may take what it refused before.
        if (outcome === 'changed') builder.quarantine.offerAgain();
        if (typeof outcome === 'object' || hands.isBehind()) return;
        if (outcome === 'settled') builder.quarantine.accept();
        // Last known good is what HAProxy took, of what etcd said.
        if (!following.isLive()) return;
        const [entries, stale] = [following.entries(), following.stale()];
        saver.note({ revision, entries, stale, held: model.listeners });
      };

      loop.trigger('start');
      try {
        await runTasks(
          [
            (both) => following.run(both),
            (both) => loop.run(reconcile, both),
            (both) => saver.run(both),
            (both) => hands.run(both),
            // Listeners that linger come to their end, and ports that were taken may be free.
            (both) =>
              every(
                pollMs,
                () => {
                  loop.trigger('tick');
                },
                both,
              ),
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
