import { messageOf, SettingError } from '../core/errors.js';
import type { Listener } from '../core/haproxy/listener.js';
import { emptyModel } from '../core/haproxy/model.js';
import { createReloadPace } from '../core/haproxy/reload-pace.js';
import { withLastGood, withoutListeners, type ReloadReason } from '../core/haproxy/reload-reason.js';
import { createRenderer, type Rendered } from '../core/haproxy/render.js';
import type { Templates } from '../core/haproxy/templates.js';
import { createListenerViews, viewOf } from '../core/haproxy/view.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import { ConfigurationRefusedError, ListenersRefusedError, PortsTakenError } from '../ports/proxy.js';
import type { ChangeLog } from './change-log.js';
import { createLoadedPorts } from './loaded-ports.js';
import { portsOf, type BuiltModel } from './model-builder.js';
import type { ProxyKeeperOptions } from './proxy-keeper.js';
import { createRefusal } from './refusal.js';
import { refusedListeners } from './refused-listeners.js';
import { createReloadFailures, failureOf } from './reload-failures.js';

export interface ReloaderOptions extends Omit<ProxyKeeperOptions, 'drainDeadlineMs'> {
  readonly changeLog: ChangeLog;
  /** A worker runs with it. */
  readonly onLoaded: (rendered: Rendered) => void;
}

/** Starts and reloads HAProxy, and finds out what of a configuration it refuses. */
export interface Reloader {
  /** The configuration for a model, with the template that was last taken. @throws ConfigurationRefusedError */
  render(built: BuiltModel): Rendered;
  /**
   * Starts HAProxy, or reloads it and waits for the end of that.
   *
   * @throws ListenersRefusedError, and whatever is not a refusal; one of the whole is noted
   */
  load(built: BuiltModel, reason: ReloadReason, signal: AbortSignal): Promise<void>;
  /** Reloads while the rounds go on. Resolves at its end, also where it failed: the next one then waits longer. */
  begin(built: BuiltModel, reason: ReloadReason, signal: AbortSignal): Promise<void>;
  /** @throws PortsTakenError, ListenersRefusedError where the last reload that was begun failed for them, once */
  collect(): void;
  /** The end of the reload that was begun and goes on; null where none does. */
  underWay(): Promise<void> | null;
  /** How long the next reload must wait, ms; 0 or less: not at all. */
  waitMs(): number;
  /** HAProxy did not take this text, a short while ago; the last good one stands. */
  isRefused(rendered: Rendered): boolean;
  /** HAProxy runs with this: what was refused is no longer wanted. */
  settled(built: BuiltModel): void;
  /** What HAProxy took last; null where it took nothing yet. */
  last(): BuiltModel | null;
  /** The template is to be read anew. */
  demand(reason: string): void;
  isDemanded(): boolean;
  /** Reads the template anew and reloads with it. The old one stands until HAProxy has taken the new one. */
  loadOnDemand(built: BuiltModel, signal: AbortSignal): Promise<void>;
  /** Ports that the running worker has, or is about to have. */
  ports(): ReadonlySet<number>;
  /** HAProxy does not run what was last desired. */
  isBehind(): boolean;
  /** Why the desired configuration, or the user's template, is not the running one; null where they are. */
  fault(): string | null;
}

export function createReloader(options: ReloaderOptions): Reloader {
  const { proxy, settings, readTemplates, reloadIntervalMs, changeLog, log, meter, onLoaded } = options;
  let templates = options.templates;
  const ports = createLoadedPorts();
  let demanded: string | null = null;
  let underWay: Promise<void> | null = null;
  let setback: PortsTakenError | ListenersRefusedError | null = null;
  let last: BuiltModel | null = null;
  const [failures, refusal] = [createReloadFailures(log), createRefusal(log)];
  /** Stands until a template is taken, whatever endpoints do meanwhile. */
  let templateFault: string | null = null;
  const pace = createReloadPace(reloadIntervalMs);
  let nextReloadAt = 0;
  const [render, viewOfListener] = [createRenderer(), createListenerViews()];
  const rendered = (source: Templates, built: BuiltModel): Rendered => {
    const now = render(source, viewOf(built.model, settings, built, viewOfListener));
    if (now.ok) return now.value;
    throw new ConfigurationRefusedError(`the template can not be rendered: ${now.reason}`);
  };

  const take = async (
    built: BuiltModel,
    source: Templates,
    reason: ReloadReason,
    signal: AbortSignal,
  ): Promise<void> => {
    const now = rendered(source, built);
    const startedAt = performance.now();
    const isReload = proxy.isRunning();
    const wanted = portsOf(built, settings);
    ports.begin(wanted);
    try {
      await proxy.load(now.text, signal);
      ports.end();
    } catch (thrown) {
      if (!signal.aborted) meter.count(discoverMetrics.reloadFailures, {});
      const error = failureOf(thrown, wanted);
      ports.end(error);
      throw error;
    }
    [templates, last] = [source, built];
    if (isReload) nextReloadAt = pace.reloaded(performance.now(), Math.random());
    failures.end();
    changeLog.reloaded(reason, performance.now() - startedAt);
    onLoaded(now);
  };

  /** Nothing runs: the last good state, or at least the stats page, is worth having; the rest follows with the next change. */
  const startWithLess = async (built: BuiltModel, signal: AbortSignal): Promise<void> => {
    try {
      if (last !== null) await take(last, templates, withLastGood, signal);
    } catch (error) {
      if (!(error instanceof ConfigurationRefusedError)) throw error;
    }
    if (!proxy.isRunning()) await take({ ...built, model: emptyModel }, templates, withoutListeners, signal);
  };

  const load = async (built: BuiltModel, reason: ReloadReason, signal: AbortSignal): Promise<void> => {
    const { text } = rendered(templates, built);
    try {
      await take(built, templates, reason, signal);
      refusal.forget();
    } catch (error) {
      if (!(error instanceof ConfigurationRefusedError)) throw error;
      if (proxy.isRunning()) nextReloadAt = performance.now() + reloadIntervalMs;
      const { listeners } = built.model;
      const textOf = (some: readonly Listener[]): string =>
        rendered(templates, { ...built, model: { ...built.model, listeners: some } }).text;
      const check = (part: string): Promise<void> => proxy.check(part, signal);
      const refused = await refusedListeners({ listeners, refusal: error, textOf, check });
      refusal.note({ text, fault: messageOf(error), reason: reason.text }, refused.size > 0);
      if (refused.size > 0) throw new ListenersRefusedError(refused, built.model);
      if (!proxy.isRunning()) await startWithLess(built, signal);
    }
  };

  return {
    render: (built) => rendered(templates, built),
    load,

    begin(built, reason, signal) {
      underWay = load(built, reason, signal)
        .catch((error: unknown) => {
          if (error instanceof PortsTakenError || error instanceof ListenersRefusedError) setback = error;
          else if (!signal.aborted)
            nextReloadAt = performance.now() + Math.max(reloadIntervalMs, failures.add(error, reason.text));
        })
        .finally(() => {
          underWay = null;
        });
      return underWay;
    },

    collect() {
      const thrown = setback;
      setback = null;
      if (thrown !== null) throw thrown;
    },

    underWay: () => underWay,
    waitMs: () => nextReloadAt - performance.now(),
    isRefused: (now) => refusal.fault() !== null && refusal.isOf(now.text),

    settled(built) {
      last = built;
      refusal.forget();
    },

    last: () => last,

    demand(reason) {
      demanded = reason;
    },

    isDemanded: () => demanded !== null,

    async loadOnDemand(built, signal) {
      const reason = demanded ?? '';
      demanded = null;
      try {
        await take(built, await readTemplates(), { cause: 'template', text: reason }, signal);
        refusal.forget();
        templateFault = null;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ConfigurationRefusedError || error instanceof SettingError)) {
          demanded = reason;
          throw error;
        }
        templateFault = messageOf(error);
        log.error({ reason, fault: templateFault }, 'the template was not taken; the last good one stands');
      }
    },

    ports: () => (proxy.isRunning() ? ports.all() : new Set()),
    isBehind: () => refusal.fault() !== null,
    fault: () => refusal.fault() ?? templateFault,
  };
}
