import { setTimeout as sleep } from 'node:timers/promises';
import { pauseMsOf } from '../core/backoff.js';
import { messageOf, SettingError } from '../core/errors.js';
import { formatDuration } from '../core/duration.js';
import type { Logger } from '../ports/log.js';

/** A fault that lasts is told at its start, then once in this time, then at its end. */
const reminderMs = 60_000;
/** An operation that held this long was well: its next failure starts with the shortest pause again. */
const wellAfterMs = 10_000;

export interface RetryOptions {
  /** What is being tried, for the log: `docker event stream`. */
  readonly what: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Tries until it succeeds, with growing, jittered pauses. Rejects only with an AbortError when `signal` fires, and with
 * a SettingError, which no waiting mends.
 *
 * @param operation calls `healthy` when it works, if it is of the kind that then goes on (a stream)
 */
export async function retry<T>(
  operation: (healthy: () => void) => Promise<T>,
  { what, log, signal }: RetryOptions,
): Promise<T> {
  let attempt = 0;
  let since: number | null = null;
  let remindedAt = 0;
  for (;;) {
    const health: { since: number | null } = { since: null };
    const healthy = (): void => {
      health.since = performance.now();
      if (since !== null) log.info({ what, afterMs: Math.round(health.since - since) }, 'works again');
      since = null;
    };
    try {
      const result = await operation(healthy);
      healthy();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SettingError) throw error;
      const now = performance.now();
      if (health.since !== null && now - health.since > wellAfterMs) attempt = 0;
      const pauseMs = pauseMsOf(attempt, Math.random());
      attempt += 1;
      const fields = { what, error: messageOf(error), retryIn: formatDuration(pauseMs) };
      if (since === null) log.error(fields, 'failed; trying again until it works');
      else if (now - remindedAt > reminderMs)
        log.error({ ...fields, forMs: Math.round(now - since), attempt }, 'still failing');
      else log.debug(fields, 'failed again');
      if (since === null || now - remindedAt > reminderMs) remindedAt = now;
      since ??= now;
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
