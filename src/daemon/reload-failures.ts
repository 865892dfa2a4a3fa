import { pauseMsOf } from '../core/backoff.js';
import { messageOf } from '../core/errors.js';
import type { Logger } from '../ports/log.js';
import { ConfigurationRefusedError, PortsTakenError } from '../ports/proxy.js';

/** A fault that lasts is told at its start, then once in this time, then at its end. */
const reminderMs = 60_000;

/** Reloads in a row that failed for another reason than the configuration: no answer, no space on the disk. */
export interface ReloadFailures {
  /** @returns how long to wait before the next try, ms */
  add(error: unknown, reason: string): number;
  end(): void;
}

/** What the log says. */
const words = {
  reload: { fault: 'the reload failed; it is tried again until it works', end: 'reloading works again' },
  exec: { fault: 'EXEC failed; it is run again until it works', end: 'EXEC works again' },
} as const;

export function createReloadFailures(log: Logger, what: keyof typeof words = 'reload'): ReloadFailures {
  let failures = 0;
  let toldAt = 0;
  return {
    add(error, reason) {
      const now = performance.now();
      const pauseMs = pauseMsOf(failures, Math.random());
      failures += 1;
      if (failures === 1 || now - toldAt > reminderMs) {
        toldAt = now;
        log.error({ reason, error: messageOf(error), failures }, words[what].fault);
      }
      return pauseMs;
    },
    end() {
      if (failures > 0) log.info({ failures }, words[what].end);
      failures = 0;
    },
  };
}

/**
 * What a load failed with, as it counts for us: a port that is none of `ports`, those of our listeners, can't be left out, since
 * the template opens it.
 */
export function failureOf(error: unknown, ports: ReadonlySet<number>): unknown {
  const foreign = error instanceof PortsTakenError ? error.ports.filter((port) => !ports.has(port)) : [];
  if (foreign.length === 0) return error;
  return new ConfigurationRefusedError(
    `the template binds ${foreign.join(', ')}, which is taken by another process: free it, or change the template`,
  );
}
