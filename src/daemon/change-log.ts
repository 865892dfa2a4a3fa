import { discoverMetrics } from '../core/metrics/discover.js';
import { commandsOf } from '../core/haproxy/commands.js';
import type { RecentChange } from '../core/status-parts.js';
import type { Step } from '../core/haproxy/plan.js';
import { notRunning, type ReloadReason } from '../core/haproxy/reload-reason.js';
import { summaryOfSteps } from '../core/haproxy/step-summary.js';
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

/** Of a burst, so many commands are logged, and the number of the rest. */
const toldCommands = 20;

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
      const commands = steps.flatMap(commandsOf);
      const [first = ''] = commands;
      const what = commands.length === 1 ? first : `${first} and ${String(commands.length - 1)} more commands`;
      const more = Math.max(0, commands.length - toldCommands);
      log.info({ commands: commands.slice(0, toldCommands), ...(more > 0 && { more }) }, 'HAProxy changed');
      const lastChange = { what, at: recent.note('change', summaryOfSteps(steps)) };
      changes = { ...changes, runtimeChanges: changes.runtimeChanges + steps.length, lastChange };
    },
  };
}
