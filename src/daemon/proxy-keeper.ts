import { messageOf } from '../core/errors.js';
import { formatPaceChange } from '../core/haproxy/check-kind.js';
import type { CheckPace } from '../core/haproxy/check-pace.js';
import { sectionChanges, type Configuration } from '../core/haproxy/configuration.js';
import { createConfigurationReader } from '../core/haproxy/configuration-reader.js';
import { emptyModel } from '../core/haproxy/model.js';
import { planOf, type Observed, type Plan } from '../core/haproxy/plan.js';
import { notRunning, type ReloadReason } from '../core/haproxy/reload-reason.js';
import type { Templates } from '../core/haproxy/templates.js';
import type { ProxySettings } from '../core/haproxy/view.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import { StepRejectedError, type Proxy } from '../ports/proxy.js';
import { createAttention } from './attention.js';
import { createChangeLog, type ChangeLog } from './change-log.js';
import { createLastingFault } from './lasting.js';
import type { Hands, Outcome } from './hands.js';
import type { BuiltModel } from './model-builder.js';
import { createReloader } from './reloader.js';
import { createRestarts } from './restarts.js';
import { createWorkerMemory } from './worker-memory.js';

export interface ProxyKeeperOptions {
  readonly proxy: Proxy;
  readonly settings: ProxySettings;
  /** The templates as they were when the daemon started. */
  readonly templates: Templates;
  /** Reads them anew. */
  readonly readTemplates: () => Promise<Templates>;
  /** Least time between two reloads. */
  readonly reloadIntervalMs: number;
  /** How long the connections of an endpoint that went may live on. */
  readonly drainDeadlineMs: number;
  readonly log: Logger;
  readonly meter: Meter;
}

/**
 * Brings HAProxy to the model, and remembers what it was brought to.
 *
 * A reload takes its time (two processes read the whole configuration), and no endpoint waits for it: until it has ended,
 * rounds bring the worker that still serves up to date, and leave the file alone. What the new worker missed is seen when
 * it is looked at.
 */
export type ProxyKeeper = Pick<
  Hands,
  'bring' | 'demandReload' | 'lookAtAll' | 'loadedPorts' | 'last' | 'isBehind' | 'fault'
> &
  Pick<ChangeLog, 'changes' | 'recent'>;

export function createProxyKeeper(options: ProxyKeeperOptions): ProxyKeeper {
  const { proxy, drainDeadlineMs, log, meter } = options;
  const memory = createWorkerMemory(drainDeadlineMs);
  const restarts = createRestarts(log);
  const changeLog = createChangeLog({ log, meter, isLooping: () => restarts.isLooping() });
  const fileFault = createLastingFault(
    {
      fault: 'haproxy.cfg stays behind what HAProxy was told; clients see nothing of it',
      end: 'haproxy.cfg is true again',
    },
    log,
  );
  const attention = createAttention();
  const read = createConfigurationReader();
  const reloader = createReloader({
    ...options,
    changeLog,
    onLoaded: ({ pieces }) => {
      restarts.running();
      memory.loaded(read(pieces));
      attention.all();
    },
  });

  const observe = async (desired: Configuration, signal: AbortSignal): Promise<Observed> => {
    const { asked, planned } = attention.take(desired);
    const doubtful = memory.knownOf(asked === 'all' ? planned : asked);
    if (doubtful.length > 0) {
      memory.told(doubtful, await proxy.serversState(asked === 'all' ? 'all' : doubtful, signal));
    }
    return memory.observed(memory.knownOf(planned));
  };

  /** @returns HAProxy's words where it did not take all steps: then the next round asks it about everything */
  const applySteps = async (plan: Plan, desired: Configuration, signal: AbortSignal): Promise<string | null> => {
    const steps = plan.kind === 'nothing' ? [] : plan.steps;
    try {
      // Taken for done before it is: what a failure leaves undone is seen by the next round, which then asks about everything.
      memory.applied(steps, true);
      const busy = await proxy.apply(steps, signal);
      memory.applied(steps, busy > 0);
      // Servers that only wait for their last connection are tried again with each tick, without a word.
      if (busy < steps.length) changeLog.applied(steps);
      const deleted = steps.filter(({ kind }) => kind === 'delete').map(({ listener }) => listener);
      attention.done(desired, busy > 0 ? deleted : []);
      return null;
    } catch (error) {
      if (!(error instanceof StepRejectedError)) throw error;
      meter.count(discoverMetrics.runtimeRejections, {});
      return messageOf(error);
    }
  };

  const act = async (built: BuiltModel, signal: AbortSignal): Promise<Outcome> => {
    const reloading = reloader.underWay();
    const rendered = reloader.render(built);
    const desired = read(rendered.pieces);
    const observed = await observe(desired, signal);
    const plan = planOf(observed, desired);
    if (!proxy.isRunning()) {
      if (reloading !== null) return { reloading };
      const waitMs = restarts.waitMs();
      if (waitMs > 0) return { waitMs };
      await reloader.load(built, plan.kind === 'reload' ? plan.reason : notRunning, signal);
      return 'changed';
    }
    const rejected = await applySteps(plan, desired, signal);
    // A reload writes the file itself.
    if (plan.kind !== 'reload' && reloading === null && rejected === null)
      void proxy
        .keep(() => rendered.text)
        .then((unwritten) => {
          fileFault.tell(unwritten === null ? null : { error: unwritten });
        });
    // What only servers ask for is seen by looking at them: until the reload, every round must.
    if (plan.kind === 'reload' && observed.loaded !== null && sectionChanges(observed.loaded, desired).length === 0)
      attention.all();
    if (reloading !== null) {
      // It may have met the new worker, which is looked at when the reload has ended.
      if (rejected !== null) log.debug({ rejected }, 'HAProxy did not take a change during the reload');
      return { reloading };
    }
    const reason = reasonOf(plan, rejected, { before: reloader.last()?.pace, built });
    if (reason === null) reloader.settled(built);
    if (reason === null || reloader.isRefused(rendered)) return 'settled';
    const waitMs = reloader.waitMs();
    return waitMs > 0 ? { waitMs } : { reloading: reloader.begin(built, reason, signal) };
  };

  return {
    demandReload(reason) {
      reloader.demand(reason);
    },

    lookAtAll() {
      attention.all();
    },

    loadedPorts: () => reloader.ports(),
    last: () => ({ model: reloader.last()?.model ?? emptyModel, isRunning: proxy.isRunning() }),
    isBehind: () => reloader.isBehind(),
    fault: () => reloader.fault(),
    changes: () => changeLog.changes(),
    recent: () => changeLog.recent(),

    async bring(built, signal) {
      reloader.collect();
      const reloading = reloader.underWay();
      if (reloading !== null && (reloader.isDemanded() || !proxy.isRunning())) return { reloading };
      if (proxy.isRunning()) restarts.running();
      else memory.forget();
      if (!reloader.isDemanded()) return act(built, signal);
      await reloader.loadOnDemand(built, signal);
      return 'changed';
    },
  };
}

/** Why a reload is needed; null where none is. Another pace of the checks is one reason, whatever number of servers it changes. */
function reasonOf(
  plan: Plan,
  rejected: string | null,
  { before, built }: { readonly before: CheckPace | undefined; readonly built: BuiltModel },
): ReloadReason | null {
  if (plan.kind === 'reload') {
    const { model, pace } = built;
    const text = before === undefined || before === pace ? null : formatPaceChange(before, pace, model.listeners);
    return text === null ? plan.reason : { cause: 'check_pace', text };
  }
  return rejected === null ? null : { cause: 'runtime_api', text: `the runtime API said: ${rejected}` };
}
