import { setMaxListeners } from 'node:events';

/**
 * Runs `operation` with a signal that fires with `signal`, or when `timeoutMs` are over; rejects then, with the reason.
 * What the operation resolved with outlives the deadline (a stream that was opened in time).
 */
export async function withDeadline<T>(
  timeoutMs: number,
  signal: AbortSignal,
  operation: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => {
    controller.abort(signal.reason);
  };
  const timer = setTimeout(() => {
    controller.abort(new Error(`no answer in ${String(timeoutMs / 1000)}s`));
  }, timeoutMs);
  // Not AbortSignal.any: the listener must go with the call, or a daemon that runs for months collects them.
  // As many as there are calls under way; Node takes more than ten for a leak, and says so on standard error.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await operation(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
