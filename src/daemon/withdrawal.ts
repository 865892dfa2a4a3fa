import { formatDuration } from '../core/duration.js';
import type { Logger } from '../ports/log.js';
import { retry } from './retry.js';

const timeoutMs = 5_000;

/**
 * Withdraws at the end of a process: etcd may be about to come back, but nobody waits for long to be stopped.
 *
 * @param ttlMs after so long they go by themselves
 * @throws etcd did not take it in time
 */
export async function withdrawInTime(
  operation: (signal: AbortSignal) => Promise<void>,
  { ttlMs, log }: { readonly ttlMs: number; readonly log: Logger },
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const timer = setTimeout(() => {
    controller.abort();
  }, timeoutMs);
  try {
    await retry(() => operation(signal), { what: 'the withdrawal', log, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    const left = `etcd did not take the withdrawal in ${formatDuration(timeoutMs)}`;
    throw new Error(`${left}; what is left goes with its lease, in ${formatDuration(ttlMs)} at the latest`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}
