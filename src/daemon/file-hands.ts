import { messageOf, SettingError } from '../core/errors.js';
import { emptyModel, type Model } from '../core/haproxy/model.js';
import { render } from '../core/haproxy/render.js';
import type { Templates } from '../core/haproxy/templates.js';
import { viewOf, type ProxySettings } from '../core/haproxy/view.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import type { Output } from '../ports/output.js';
import { ConfigurationRefusedError } from '../ports/proxy.js';
import { noChanges } from './change-log.js';
import type { Hands, Outcome } from './hands.js';
import type { BuiltModel } from './model-builder.js';
import { createRecentChanges } from './recent-changes.js';
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
  readonly meter: Meter;
}

/**
 * Renders a file, has it checked, and runs a command: at the start, after each change, and again where it failed. What the check refuses
 * does not become the file.
 */
export function createFileHands(options: FileHandsOptions): Hands {
  const { output, path, settings, readTemplates, intervalMs, log, meter } = options;
  let { templates } = options;
  /** The template is to be read anew. */
  let isDemanded = false;
  let templateFault: string | null = null;
  let taken: string | null = null;
  let model: Model = emptyModel;
  let isTold = false;
  let nextAt = 0;
  const recent = createRecentChanges();
  let runs = 0;
  let lastRun: { readonly what: string; readonly at: string } | null = null;
  /** Why the file, or the proxy that it is for, is behind; null where it is not. */
  let failure: string | null = null;
  /** Somebody may have changed the file. */
  let isDoubtful = false;
  const refusal = createRefusal(log, 'exec');
  const failures = createReloadFailures(log, 'exec');

  const rendered = (built: BuiltModel): string => {
    const view = viewOf(built.model, settings, { ...built, barred: new Set(['stats page']) });
    const text = render(templates, view);
    if (!text.ok) throw new ConfigurationRefusedError(`the template can not be rendered: ${text.reason}`);
    return text.value;
  };

  const readAnew = async (): Promise<void> => {
    isDemanded = false;
    isDoubtful = true;
    refusal.forget();
    try {
      templates = await readTemplates();
      if (templateFault !== null) log.info({}, 'the template can be read again');
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
      const isThere = text === taken && !(isDoubtful && (await output.read()) !== text);
      isDoubtful = false;
      if (isThere) refusal.forget();
      if (isThere || refusal.isOf(text)) return;
      await output.take(text, signal);
    } catch (error) {
      if (!(error instanceof ConfigurationRefusedError)) throw error;
      refusal.note({ text, fault: messageOf(error), reason: path }, false);
      return;
    }
    [taken, isTold, model] = [text, false, built.model];
    refusal.forget();
  };

  const tell = async (signal: AbortSignal): Promise<void> => {
    const startedAt = performance.now();
    try {
      await output.tell(signal);
    } catch (error) {
      if (!signal.aborted) meter.count(discoverMetrics.execRuns, { outcome: 'failed' });
      throw error;
    }
    meter.count(discoverMetrics.execRuns, { outcome: 'done' });
    isTold = true;
    runs += 1;
    const what = `${path} changed`;
    lastRun = { what, at: recent.note('run', what) };
    const tookMs = Math.round(performance.now() - startedAt);
    log.info({ file: path, listeners: model.listeners.length, tookMs }, 'the command ran');
  };

  const act = async (built: BuiltModel, signal: AbortSignal): Promise<Outcome> => {
    const waitMs = nextAt - performance.now();
    // After a failure nothing is tried before its time.
    if (failure !== null && waitMs > 0) return { waitMs };
    await take(built, signal);
    if (taken === null || isTold) return 'settled';
    if (waitMs > 0) return { waitMs };
    await tell(signal);
    nextAt = performance.now() + intervalMs * (1 + Math.random() / 5);
    return 'settled';
  };

  return {
    startsEmpty: false,
    isRunning: () => runs > 0,
    // The ports are the other proxy's, which has them already.
    takenOf: () => Promise.resolve([]),
    loadedPorts: () => new Set(),
    lookAtAll() {
      isDoubtful = true;
    },
    demandReload() {
      isDemanded = true;
    },
    last: () => ({ model, isRunning: true }),
    isBehind: () => refusal.fault() !== null,
    fault: () => refusal.fault() ?? templateFault ?? failure,

    async bring(built, signal) {
      if (isDemanded) await readAnew();
      try {
        const outcome = await act(built, signal);
        if (outcome === 'settled') {
          failures.end();
          failure = null;
        }
        return outcome;
      } catch (error) {
        signal.throwIfAborted();
        failure = messageOf(error);
        const pauseMs = Math.max(intervalMs, failures.add(error, path));
        nextAt = performance.now() + pauseMs;
        return { waitMs: pauseMs };
      }
    },

    status: () => {
      const haproxy = { running: false, workerPid: null, silence: null, ...noChanges };
      return Promise.resolve({ haproxy, output: { path, runs, lastRun }, changes: recent.list(), servers: null });
    },
    run: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}
