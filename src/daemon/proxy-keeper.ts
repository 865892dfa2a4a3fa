import { messageOf, SettingError } from '../core/errors.js';
import { commandOf } from '../core/haproxy/commands.js';
import { emptyModel, type Model } from '../core/haproxy/model.js';
import { planOf, type Plan, type Step } from '../core/haproxy/plan.js';
import { render } from '../core/haproxy/render.js';
import { viewOf, type ProxySettings } from '../core/haproxy/view.js';
import type { Logger } from '../ports/log.js';
import { ConfigurationRefusedError, StepRejectedError, type Proxy } from '../ports/proxy.js';
import type { BuiltModel } from './model-builder.js';

export interface ProxyKeeperOptions {
  readonly proxy: Proxy;
  readonly settings: ProxySettings;
  /** The template as it was when the daemon started. */
  readonly template: string;
  /** Reads the template anew. */
  readonly readTemplate: () => Promise<string>;
  readonly log: Logger;
}

/** Brings HAProxy to the model, and remembers what it was brought to. */
export interface ProxyKeeper {
  /**
   * One round: observe, plan, act.
   *
   * @returns `changed` where something was done, so that it is worth looking again
   * @throws PortsTakenError; the model must be built without these ports
   */
  bring(built: BuiltModel, signal: AbortSignal): Promise<'settled' | 'changed'>;
  /** The next round reads the template anew and reloads. */
  demandReload(reason: string): void;
  /** Ports that the running worker has. */
  loadedPorts(): ReadonlySet<number>;
  state(): {
    readonly reloads: number;
    readonly lastReload: { readonly reason: string; readonly at: string } | null;
    readonly fault: string | null;
  };
}

/** What the worker was started with. */
interface Loaded {
  readonly model: Model;
  readonly frame: string;
  readonly hasStats: boolean;
}

export function createProxyKeeper({
  proxy,
  settings,
  template: initial,
  readTemplate,
  log,
}: ProxyKeeperOptions): ProxyKeeper {
  let template = initial;
  let loaded: Loaded | null = null;
  let demand: string | null = null;
  let refusedText: string | null = null;
  let configurationFault: string | null = null;
  /** Stands until a template is taken, whatever endpoints do meanwhile. */
  let templateFault: string | null = null;
  let reloads = -1;
  let lastReload: { reason: string; at: string } | null = null;

  const textOf = (source: string, { model, statsBarred }: BuiltModel): string => {
    const text = render(source, viewOf(model, settings, statsBarred));
    if (!text.ok) throw new ConfigurationRefusedError(`the template can not be rendered: ${text.reason}`);
    return text.value;
  };

  const frameOf = (statsBarred: boolean): string =>
    template + JSON.stringify(viewOf(emptyModel, settings, statsBarred));

  const load = async (built: BuiltModel, source: string, reason: string, signal: AbortSignal): Promise<void> => {
    const text = textOf(source, built);
    const startedAt = performance.now();
    await proxy.load(text, built.model, signal);
    template = source;
    loaded = { model: built.model, frame: frameOf(built.statsBarred), hasStats: !built.statsBarred };
    reloads += 1;
    refusedText = null;
    configurationFault = null;
    const fields = {
      reason,
      listeners: built.model.listeners.length,
      tookMs: Math.round(performance.now() - startedAt),
    };
    log.info(fields, reloads === 0 ? 'HAProxy started' : 'HAProxy reloaded');
    if (reloads > 0) lastReload = { reason, at: new Date().toISOString() };
  };

  /** A refusal is told once; the same text is not offered again. */
  const loadOrKeep = async (built: BuiltModel, reason: string, signal: AbortSignal): Promise<'settled' | 'changed'> => {
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

  const observe = async (signal: AbortSignal): Promise<Parameters<typeof planOf>[0]> => {
    if (loaded === null || !proxy.isRunning()) return { loaded: null, loadedFrame: '', weights: new Map() };
    const weights = new Map<string, Map<string, number>>();
    for (const { listener, server, weight } of await proxy.serversState(signal)) {
      weights.set(listener, (weights.get(listener) ?? new Map<string, number>()).set(server, weight));
    }
    return { loaded: loaded.model, loadedFrame: loaded.frame, weights };
  };

  const applySteps = async (
    built: BuiltModel,
    steps: readonly Step[],
    signal: AbortSignal,
  ): Promise<'settled' | 'changed'> => {
    try {
      await proxy.apply(steps, textOf(template, built), signal);
      log.info({ commands: steps.map(commandOf) }, 'HAProxy changed over the runtime API');
      return 'changed';
    } catch (error) {
      if (!(error instanceof StepRejectedError)) throw error;
      return loadOrKeep(built, `the runtime API refused ${messageOf(error)}`, signal);
    }
  };

  return {
    demandReload(reason) {
      demand = reason;
    },

    loadedPorts() {
      if (loaded === null || !proxy.isRunning()) return new Set();
      const ports = loaded.model.listeners.map(({ port }) => port);
      return new Set(loaded.hasStats ? [...ports, settings.statsBind.port] : ports);
    },

    state: () => ({ reloads: Math.max(reloads, 0), lastReload, fault: configurationFault ?? templateFault }),

    async bring(built, signal) {
      if (demand !== null) {
        const reason = demand;
        demand = null;
        await reloadOnDemand(built, reason, signal);
        return 'changed';
      }
      const plan: Plan = planOf(await observe(signal), { model: built.model, frame: frameOf(built.statsBarred) });
      switch (plan.kind) {
        case 'nothing':
          // What was refused is no longer wanted.
          configurationFault = null;
          refusedText = null;
          return 'settled';
        case 'runtime':
          return applySteps(built, plan.steps, signal);
        case 'reload':
          return loadOrKeep(built, plan.reason, signal);
      }
    },
  };
}
