import { discoverMetrics } from '../core/metrics/discover.js';
import { commandsOf } from '../core/haproxy/commands.js';
import type { RecentChange } from '../core/status-parts.js';
import type { Step } from '../core/haproxy/plan.js';
import { notRunning, type ReloadReason } from '../core/haproxy/reload-reason.js';
import { changesOf, summaryOfSteps } from '../core/haproxy/step-summary.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import { createRecentChanges } from './recent-changes.js';

/** What was done to HAProxy so far. */
export interface Changes {
  readonly reloads: number;
  /** Steps over the runtime API. */
  readonly runtimeChanges: number;
  readonly lastReload: Change | null;
  readonly lastChange: Change | null;
}

export interface Change {
  readonly what: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface ChangeLog {
  /** The first is the start. */
  reloaded(reason: ReloadReason, tookMs: number): void;
  applied(steps: readonly Step[]): void;
  changes(): Changes;
  /** The newest first, the start too. */
  recent(): readonly RecentChange[];
}

/** Of a burst, so many changes and commands are logged, and the number of the rest. */
const told = 20;

export const noChanges: Changes = { reloads: 0, runtimeChanges: 0, lastReload: null, lastChange: null };

export interface ChangeLogOptions {
  readonly log: Logger;
  readonly meter: Meter;
  /** HAProxy crashes again and again, which somebody else tells. */
  readonly isLooping: () => boolean;
}

export function createChangeLog({ log, meter, isLooping }: ChangeLogOptions): ChangeLog {
  const recent = createRecentChanges();
  let changes = noChanges;
  let started = false;
  return {
    changes: () => changes,
    recent: () => recent.list(),

    reloaded({ cause, text: reason }, tookMs) {
      meter.observe(discoverMetrics.reloadSeconds, {}, tookMs / 1000);
      log[isLooping() ? 'debug' : 'info'](
        { reason, tookMs: Math.round(tookMs) },
        // One that ended, or was replaced, is no reload for who reads.
        started && cause !== 'not_running' ? 'HAProxy reloaded' : 'HAProxy started',
      );
      const began = reason === notRunning.text ? 'as docker-discover began' : reason;
      const at = started ? recent.note('reload', reason) : recent.note('start', began);
      if (started) {
        meter.count(discoverMetrics.reloads, { reason: cause });
        const change = { what: reason, at };
        changes = { ...changes, reloads: changes.reloads + 1, lastReload: change, lastChange: change };
      }
      started = true;
    },

    applied(steps) {
      for (const { kind } of steps) meter.count(discoverMetrics.runtimeChanges, { kind: kind.replace(' ', '_') });
      log.debug(firstOf('commands', steps.flatMap(commandsOf)), 'commands of the change');
      log.info(firstOf('changes', changesOf(steps)), 'HAProxy changed');
      const what = summaryOfSteps(steps);
      const lastChange = { what, at: recent.note('change', what) };
      changes = { ...changes, runtimeChanges: changes.runtimeChanges + steps.length, lastChange };
    },
  };
}

/** A list of which the log gets the beginning. */
function firstOf(name: string, texts: readonly string[]): object {
  const more = Math.max(0, texts.length - told);
  return { [name]: texts.slice(0, told), ...(more > 0 && { more }) };
}
