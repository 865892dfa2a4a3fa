import { messageOf, SettingError } from '../core/errors.js';
import { createConfigurationReader, type Configuration } from '../core/haproxy/configuration.js';
import { emptyModel } from '../core/haproxy/model.js';
import { planOf, type Observed, type Step } from '../core/haproxy/plan.js';
import { render } from '../core/haproxy/render.js';
import { viewOf, type ProxySettings } from '../core/haproxy/view.js';
import type { Logger } from '../ports/log.js';
import { ConfigurationRefusedError, StepRejectedError, type Proxy } from '../ports/proxy.js';
import { createAttention } from './attention.js';
import { createChangeLog, type Changes } from './change-log.js';
import type { BuiltModel } from './model-builder.js';
import { createWorkerMemory } from './worker-memory.js';

export interface ProxyKeeperOptions {
  readonly proxy: Proxy;
  readonly settings: ProxySettings;
  /** The template as it was when the daemon started. */
  readonly template: string;
  /** Reads the template anew. */
  readonly readTemplate: () => Promise<string>;
  /** Least time between two reloads. */
  readonly reloadIntervalMs: number;
  /** How long the connections of an endpoint that went may live on. */
  readonly drainDeadlineMs: number;
  readonly log: Logger;
}

/** `changed`: something was done, so that it is worth looking again. A number: look again in so many milliseconds. */
export type Outcome = 'settled' | 'changed' | number;

/** Brings HAProxy to the model, and remembers what it was brought to. */
export interface ProxyKeeper {
  /**
   * One round: observe, plan, act.
   *
   * @throws PortsTakenError; the model must be built without these ports
   */
  bring(built: BuiltModel, signal: AbortSignal): Promise<Outcome>;
  /** The next round reads the template anew and reloads. */
  demandReload(reason: string): void;
  /** The next round reads every server back from HAProxy, not only those that a change touches. */
  lookAtAll(): void;
  /** Ports that the running worker has. */
  loadedPorts(): ReadonlySet<number>;
  /** Why the desired configuration is not the running one; null where it is. */
  fault(): string | null;
  changes(): Changes;
}

export function createProxyKeeper(options: ProxyKeeperOptions): ProxyKeeper {
  const { proxy, settings, readTemplate, reloadIntervalMs, log } = options;
  const memory = createWorkerMemory(options.drainDeadlineMs);
  const changeLog = createChangeLog(log);
  const attention = createAttention();
  const read = createConfigurationReader();
  let template = options.template;
  let ports: ReadonlySet<number> = new Set();
  let demand: string | null = null;
  let refusedText: string | null = null;
  let configurationFault: string | null = null;
  /** Stands until a template is taken, whatever endpoints do meanwhile. */
  let templateFault: string | null = null;
  let nextReloadAt = 0;

  const textOf = (source: string, { model, statsBarred }: BuiltModel): string => {
    const text = render(source, viewOf(model, settings, statsBarred));
    if (!text.ok) throw new ConfigurationRefusedError(`the template can not be rendered: ${text.reason}`);
    return text.value;
  };

  const load = async (built: BuiltModel, source: string, reason: string, signal: AbortSignal): Promise<void> => {
    const text = textOf(source, built);
    const startedAt = performance.now();
    const isReload = proxy.isRunning();
    await proxy.load(text, signal);
    template = source;
    memory.loaded(read(text));
    attention.all();
    ports = new Set([
      ...built.model.listeners.map(({ port }) => port),
      ...(built.statsBarred ? [] : [settings.statsBind.port]),
    ]);
    // A little apart, so that a fleet does not reload in one beat.
    if (isReload) nextReloadAt = performance.now() + reloadIntervalMs * (1 + Math.random() / 5);
    refusedText = null;
    configurationFault = null;
    changeLog.reloaded(reason, performance.now() - startedAt);
  };

  /** A refusal is told once; the same text is not offered again. */
  const loadOrKeep = async (built: BuiltModel, reason: string, signal: AbortSignal): Promise<Outcome> => {
    const text = textOf(template, built);
    if (text === refusedText && proxy.isRunning()) return 'settled';
    try {
      await load(built, template, reason, signal);
      return 'changed';
    } catch (error) {
      if (!(error instanceof ConfigurationRefusedError)) throw error;
      refusedText = text;
      configurationFault = messageOf(error);
      log.error({ reason, fault: configurationFault }, 'HAProxy refuses the configuration; the last good one stands');
    }
    // Nothing runs yet: the stats page at least is worth having, and traffic follows with the next change.
    if (!proxy.isRunning()) {
      const kept = { text: refusedText, fault: configurationFault };
      await load({ ...built, model: emptyModel }, template, 'start without listeners', signal);
      refusedText = kept.text;
      configurationFault = kept.fault;
    }
    return 'settled';
  };

  /** A new template replaces the old one only when HAProxy takes it: endpoints keep following in the old one's form. */
  const reloadOnDemand = async (built: BuiltModel, reason: string, signal: AbortSignal): Promise<void> => {
    try {
      await load(built, await readTemplate(), reason, signal);
      templateFault = null;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ConfigurationRefusedError || error instanceof SettingError)) {
        demand = reason;
        throw error;
      }
      templateFault = messageOf(error);
      log.error({ reason, fault: templateFault }, 'the template was not taken; the last good one stands');
    }
  };

  /**
   * @param text what the file becomes; null leaves it, where a reload is still to come
   * @returns the listeners that must be looked at again
   */
  const applySteps = async (steps: readonly Step[], text: string | null, signal: AbortSignal): Promise<string[]> => {
    const { busy } = await proxy.apply(steps, text, signal);
    memory.applied(steps);
    // Servers that only wait for their last connection are looked at again with the next tick.
    if (busy === steps.length) return [];
    changeLog.applied(steps);
    return steps.map(({ listener }) => listener);
  };

  const observe = async (desired: Configuration, signal: AbortSignal): Promise<Observed> => {
    const wanted = attention.take(desired);
    const listeners = memory.knownOf(wanted === 'all' ? desired.servers.keys() : wanted);
    const states = listeners.length === 0 ? [] : await proxy.serversState(wanted === 'all' ? 'all' : listeners, signal);
    return memory.observed(listeners, states);
  };

  return {
    demandReload(reason) {
      demand = reason;
    },

    lookAtAll() {
      attention.all();
    },

    loadedPorts: () => (proxy.isRunning() ? ports : new Set()),
    fault: () => configurationFault ?? templateFault,
    changes: () => changeLog.changes(),

    async bring(built, signal) {
      if (demand !== null) {
        const reason = demand;
        demand = null;
        await reloadOnDemand(built, reason, signal);
        return 'changed';
      }
      if (!proxy.isRunning()) memory.forget();
      const text = textOf(template, built);
      const desired = read(text);
      const plan = planOf(await observe(desired, signal), desired);
      switch (plan.kind) {
        case 'nothing':
          // What was refused is no longer wanted.
          configurationFault = null;
          refusedText = null;
          attention.done(desired, await applySteps([], text, signal));
          return 'settled';
        case 'runtime':
          try {
            const again = await applySteps(plan.steps, text, signal);
            attention.done(desired, again);
            return again.length === 0 ? 'settled' : 'changed';
          } catch (error) {
            if (!(error instanceof StepRejectedError)) throw error;
            return loadOrKeep(built, `the runtime API said: ${messageOf(error)}`, signal);
          }
        case 'reload': {
          const waitMs = nextReloadAt - performance.now();
          if (waitMs <= 0 || !proxy.isRunning()) return loadOrKeep(built, plan.reason, signal);
          attention.done(desired, plan.steps.length === 0 ? [] : await applySteps(plan.steps, null, signal));
          return waitMs;
        }
      }
    },
  };
}
