import { messageOf, SettingError } from '../core/errors.js';
import { emptyModel, type Model } from '../core/haproxy/model.js';
import { render } from '../core/haproxy/render.js';
import type { Templates } from '../core/haproxy/templates.js';
import { viewOf, type ProxySettings } from '../core/haproxy/view.js';
import type { Logger } from '../ports/log.js';
import type { Output } from '../ports/output.js';
import { ConfigurationRefusedError } from '../ports/proxy.js';
import { noChanges } from './change-log.js';
import type { Hands, Outcome } from './hands.js';
import type { BuiltModel } from './model-builder.js';
import { createRefusal } from './refusal.js';
import { createReloadFailures } from './reload-failures.js';

export interface FileHandsOptions {
  readonly output: Output;
  /** Of the file, for who asks. */
  readonly path: string;
  readonly settings: ProxySettings;
  readonly templates: Templates;
  readonly readTemplates: () => Promise<Templates>;
  /** Least time between two runs of the command. */
  readonly intervalMs: number;
  readonly log: Logger;
}

/**
 * Renders a file, has it checked, and runs a command: at the start, after each change, and again where it failed. What the check refuses
 * does not become the file.
 */
export function createFileHands(options: FileHandsOptions): Hands {
  const { output, path, settings, readTemplates, intervalMs, log } = options;
  let { templates } = options;
  let demanded: string | null = null;
  let templateFault: string | null = null;
  let taken: string | null = null;
  let model: Model = emptyModel;
  let isTold = false;
  let nextAt = 0;
  let runs = 0;
  let lastRun: { readonly what: string; readonly at: string } | null = null;
  const refusal = createRefusal(log);
  const failures = createReloadFailures(log, 'exec');

  const rendered = (built: BuiltModel): string => {
    const view = viewOf(built.model, settings, { ...built, barred: new Set(['stats page']) });
    const text = render(templates, view);
    if (!text.ok) throw new ConfigurationRefusedError(`the template can not be rendered: ${text.reason}`);
    return text.value;
  };

  const readAnew = async (): Promise<void> => {
    demanded = null;
    try {
      templates = await readTemplates();
      templateFault = null;
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      templateFault = messageOf(error);
      log.error({ fault: templateFault }, 'the template was not taken; the last good one stands');
    }
  };

  const take = async (built: BuiltModel, signal: AbortSignal): Promise<void> => {
    let text = '';
    try {
      text = rendered(built);
      if (text === taken) refusal.forget();
      if (text === taken || refusal.isOf(text)) return;
      await output.take(text, signal);
    } catch (error) {
      if (!(error instanceof ConfigurationRefusedError)) throw error;
      refusal.note({ text, fault: messageOf(error), reason: 'change' }, false);
      return;
    }
    [taken, isTold, model] = [text, false, built.model];
    refusal.forget();
  };

  const tell = async (signal: AbortSignal): Promise<Outcome> => {
    const waitMs = nextAt - performance.now();
    if (waitMs > 0) return { waitMs };
    const startedAt = performance.now();
    try {
      await output.tell(signal);
    } catch (error) {
      signal.throwIfAborted();
      const pauseMs = Math.max(intervalMs, failures.add(error, path));
      nextAt = performance.now() + pauseMs;
      return { waitMs: pauseMs };
    }
    const now = performance.now();
    [isTold, nextAt] = [true, now + intervalMs * (1 + Math.random() / 5)];
    runs += 1;
    lastRun = { what: `${path} changed`, at: new Date().toISOString() };
    failures.end();
    log.info({ file: path, listeners: model.listeners.length, tookMs: Math.round(now - startedAt) }, 'the command ran');
    return 'settled';
  };

  return {
    startsEmpty: false,
    isRunning: () => taken !== null,
    // The ports are the other proxy's, which has them already.
    takenOf: () => Promise.resolve([]),
    loadedPorts: () => new Set(),
    lookAtAll: () => undefined,
    demandReload(reason) {
      demanded = reason;
    },
    last: () => ({ model, isRunning: true }),
    isBehind: () => refusal.fault() !== null,
    fault: () => refusal.fault() ?? templateFault,

    async bring(built, signal) {
      if (demanded !== null) await readAnew();
      await take(built, signal);
      return taken === null || isTold ? 'settled' : tell(signal);
    },

    status: () => {
      const haproxy = { running: false, workerPid: null, silence: null, ...noChanges };
      return Promise.resolve({ haproxy, output: { path, runs, lastRun }, servers: null });
    },
    run: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}
