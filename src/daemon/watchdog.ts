import { messageOf } from '../core/errors.js';
import type { Logger } from '../ports/log.js';
import type { Proxy } from '../ports/proxy.js';
import { every } from './lifecycle.js';

const lookEveryMs = 5_000;
/** So many looks in a row without an answer, and it is not busy but hangs. */
const most = 3;

/**
 * Replaces a HAProxy that runs and does not answer: a worker that hangs answers no client either, and without its master no
 * listener can come or go.
 */
export async function watchProxy(
  { proxy, log }: { proxy: Pick<Proxy, 'isRunning' | 'answers' | 'replace'>; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  let unanswered = 0;
  const look = async (): Promise<void> => {
    if (!proxy.isRunning()) {
      unanswered = 0;
      return;
    }
    try {
      await proxy.answers(signal);
      if (unanswered > 0) log.info({ looks: unanswered }, 'HAProxy answers again');
      unanswered = 0;
    } catch (error) {
      signal.throwIfAborted();
      unanswered += 1;
      const fields = { error: messageOf(error), looks: unanswered };
      if (unanswered === 1) log.warn(fields, 'HAProxy does not answer');
      if (unanswered < most) return;
      unanswered = 0;
      log.error(fields, 'HAProxy still does not answer; it is replaced');
      await proxy.replace();
    }
  };
  await every(lookEveryMs, look, signal);
}
