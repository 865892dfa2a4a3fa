import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import type { Logger } from '../ports/log.js';
import { createLastingFault } from './lasting.js';

/** What a daemon says of itself. */
export interface Health {
  /** It does not hang. */
  readonly isAlive: () => boolean;
  /** Whether it is ready, and in a few words how it is. */
  readonly readiness: () => { readonly isReady: boolean; readonly text: string };
}

export interface ServiceNoticesOptions {
  readonly health: Health;
  /** How often the service manager wants to hear of us; null where it does not ask. */
  readonly watchdogMs: number | null;
  /** Tells it, as `READY=1`. */
  readonly tell: (assignments: readonly string[]) => Promise<void>;
  readonly log: Logger;
}

const lookEveryMs = 1_000;
/** A start may take as long as etcd or Docker is away; it is said again before that time is over. */
const extendEveryMs = 10_000;
const extendUsec = 30_000_000;

/**
 * Tells the service manager when the daemon is ready, how it is, that it lives, and that it stops. Resolves when `signal` fires. Who
 * hangs says nothing, and is started anew by the watchdog.
 */
export async function tellServiceManager(
  { health, watchdogMs, tell, log }: ServiceNoticesOptions,
  signal: AbortSignal,
): Promise<void> {
  const fault = createLastingFault(
    { fault: 'systemd is not told how the daemon is', end: 'systemd is told again how the daemon is' },
    log,
  );
  // Half of the time, as sd_watchdog_enabled(3) advises.
  const aliveEveryMs = watchdogMs === null ? null : watchdogMs / 2;
  let isReady = false;
  let text = '';
  let aliveAt = -Infinity;
  let extendedAt = -Infinity;

  const due = (): string[] => {
    const now = performance.now();
    const state = health.readiness();
    const notices: string[] = [];
    if (state.isReady && !isReady) notices.push('READY=1');
    isReady ||= state.isReady;
    if (!isReady && now - extendedAt >= extendEveryMs) {
      notices.push(`EXTEND_TIMEOUT_USEC=${String(extendUsec)}`);
      extendedAt = now;
    }
    if (state.text !== text) notices.push(`STATUS=${state.text}`);
    text = state.text;
    if (aliveEveryMs !== null && now - aliveAt >= aliveEveryMs && health.isAlive()) {
      notices.push('WATCHDOG=1');
      aliveAt = now;
    }
    return notices;
  };
  const say = async (notices: readonly string[]): Promise<void> => {
    try {
      if (notices.length > 0) await tell(notices);
      fault.tell(null);
    } catch (error) {
      fault.tell({ error: messageOf(error) });
      // What was not heard is said again.
      [isReady, text, aliveAt, extendedAt] = [false, '', -Infinity, -Infinity];
    }
  };

  const pauseMs = Math.min(lookEveryMs, (aliveEveryMs ?? Infinity) / 2);
  while (!signal.aborted) {
    await say(due());
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  await say(['STOPPING=1']);
}
