import { messageOf, SettingError } from '../core/errors.js';
import { emptyModel } from '../core/haproxy/model.js';
import { render } from '../core/haproxy/render.js';
import { viewOf, type ProxySettings } from '../core/haproxy/view.js';
import type { Logger } from '../ports/log.js';
import { ConfigurationRefusedError, PortsTakenError, type Proxy } from '../ports/proxy.js';
import type { ChangeLog } from './change-log.js';
import type { BuiltModel } from './model-builder.js';
import { createReloadFailures } from './reload-failures.js';

/** See ProxyKeeperOptions. */
export interface ReloaderOptions {
  readonly proxy: Proxy;
  readonly settings: ProxySettings;
  readonly template: string;
  readonly readTemplate: () => Promise<string>;
  readonly reloadIntervalMs: number;
  readonly changeLog: ChangeLog;
  readonly log: Logger;
  /** A worker runs with this configuration. */
  readonly onLoaded: (text: string) => void;
}

/** What HAProxy refused is offered again after this time: the cause may have been the machine's, not the text's. */
const againAfterMs = 60_000;

/** Starts and reloads HAProxy, and remembers what it refused: that is told once, and not offered again for a while. */
export interface Reloader {
  /** The configuration for a model, with the template that was last taken. @throws ConfigurationRefusedError */
  textOf(built: BuiltModel): string;
  /** Starts HAProxy, or reloads it and waits for the end of that. @throws whatever is not a refusal */
  load(built: BuiltModel, reason: string, signal: AbortSignal): Promise<void>;
  /** Reloads while the rounds go on. Resolves at its end, also where it failed: the next one then waits longer. */
  begin(built: BuiltModel, reason: string, signal: AbortSignal): Promise<void>;
  /** @throws PortsTakenError where the last reload that was begun failed for them, once */
  collect(): void;
  /** The end of the reload that was begun and goes on; null where none does. */
  underWay(): Promise<void> | null;
  /** How long the next reload must wait, ms; 0 or less: not at all. */
  waitMs(): number;
  /** HAProxy did not take this text, a short while ago; the last good one stands. */
  isRefused(text: string): boolean;
  /** What was refused is no longer wanted. */
  forgetRefusal(): void;
  /** The template is to be read anew. */
  demand(reason: string): void;
  isDemanded(): boolean;
  /** Reads the template anew and reloads with it. The old one stands until HAProxy has taken the new one. */
  loadOnDemand(built: BuiltModel, signal: AbortSignal): Promise<void>;
  /** Ports that the running worker has, or is about to have. */
  ports(): ReadonlySet<number>;
  /** Why the desired configuration is not the running one; null where it is. */
  fault(): string | null;
}

export function createReloader(options: ReloaderOptions): Reloader {
  const { proxy, settings, readTemplate, reloadIntervalMs, changeLog, log, onLoaded } = options;
  let template = options.template;
  let ports: ReadonlySet<number> = new Set();
  let coming: ReadonlySet<number> = new Set();
  let demanded: string | null = null;
  let underWay: Promise<void> | null = null;
  let taken: PortsTakenError | null = null;
  const failures = createReloadFailures(log);
  let refusedText: string | null = null;
  let configurationFault: string | null = null;
  /** Stands until a template is taken, whatever endpoints do meanwhile. */
  let templateFault: string | null = null;
  let refusedAt = 0;
  let nextReloadAt = 0;

  const rendered = (source: string, { model, statsBarred }: BuiltModel): string => {
    const text = render(source, viewOf(model, settings, statsBarred));
    if (!text.ok) throw new ConfigurationRefusedError(`the template can not be rendered: ${text.reason}`);
    return text.value;
  };

  const take = async (built: BuiltModel, source: string, reason: string, signal: AbortSignal): Promise<void> => {
    const text = rendered(source, built);
    const startedAt = performance.now();
    const isReload = proxy.isRunning();
    const next = new Set([
      ...built.model.listeners.map(({ port }) => port),
      ...(built.statsBarred ? [] : [settings.statsBind.port]),
    ]);
    coming = next;
    try {
      await proxy.load(text, signal);
      ports = next;
    } finally {
      coming = new Set();
    }
    template = source;
    // A little apart, so that a fleet does not reload in one beat.
    if (isReload) nextReloadAt = performance.now() + reloadIntervalMs * (1 + Math.random() / 5);
    refusedText = null;
    configurationFault = null;
    failures.end();
    changeLog.reloaded(reason, performance.now() - startedAt);
    onLoaded(text);
  };

  const load = async (built: BuiltModel, reason: string, signal: AbortSignal): Promise<void> => {
    const text = rendered(template, built);
    try {
      await take(built, template, reason, signal);
      return;
    } catch (error) {
      if (!(error instanceof ConfigurationRefusedError)) throw error;
      const fault = messageOf(error);
      const isKnown = fault === configurationFault;
      if (proxy.isRunning()) nextReloadAt = performance.now() + reloadIntervalMs;
      refusedText = text;
      refusedAt = performance.now();
      configurationFault = fault;
      if (!isKnown) log.error({ reason, fault }, 'HAProxy refuses the configuration; the last good one stands');
    }
    if (proxy.isRunning()) return;
    // Nothing runs yet: the stats page at least is worth having, and traffic follows with the next change.
    const kept = { text: refusedText, fault: configurationFault };
    await take({ ...built, model: emptyModel }, template, 'start without listeners', signal);
    refusedText = kept.text;
    configurationFault = kept.fault;
  };

  return {
    textOf: (built) => rendered(template, built),
    load,

    begin(built, reason, signal) {
      underWay = load(built, reason, signal)
        .catch((error: unknown) => {
          if (error instanceof PortsTakenError) taken = error;
          else if (!signal.aborted)
            nextReloadAt = performance.now() + Math.max(reloadIntervalMs, failures.add(error, reason));
        })
        .finally(() => {
          underWay = null;
        });
      return underWay;
    },

    collect() {
      const last = taken;
      taken = null;
      if (last !== null) throw last;
    },

    underWay: () => underWay,
    waitMs: () => nextReloadAt - performance.now(),
    isRefused: (text) => text === refusedText && performance.now() - refusedAt < againAfterMs,

    forgetRefusal() {
      configurationFault = null;
      refusedText = null;
    },

    demand(reason) {
      demanded = reason;
    },

    isDemanded: () => demanded !== null,

    async loadOnDemand(built, signal) {
      const reason = demanded ?? '';
      demanded = null;
      try {
        await take(built, await readTemplate(), reason, signal);
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

    ports: () => (proxy.isRunning() ? new Set([...ports, ...coming]) : new Set()),
    fault: () => configurationFault ?? templateFault,
  };
}
