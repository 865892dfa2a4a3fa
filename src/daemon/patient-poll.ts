import { messageOf } from '../core/errors.js';
import type { Logger } from '../ports/log.js';
import { DeniedError } from '../ports/registry.js';
import { createLasting } from './lasting.js';
import { createPoll, PollDiffersError, type PollOptions } from './poll.js';

/** In a row; where etcd is away, the watch has ended by then. */
const toldFrom = 2;

/**
 * A poll that nobody answers says nothing against the watch, which is asked for a word of its own: an etcd that has too much to do
 * must not get a listing on top of it.
 *
 * @throws PollDiffersError where etcd has what the watch did not tell; DeniedError
 */
export function createPatientPoll({
  log,
  ...options
}: PollOptions & { readonly log: Logger }): (signal: AbortSignal) => Promise<void> {
  const poll = createPoll(options);
  const lasting = createLasting(log);
  let unanswered = 0;
  return async (signal) => {
    try {
      await poll(signal);
      unanswered = 0;
      lasting.end('poll', {}, 'polls are answered again');
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PollDiffersError || error instanceof DeniedError) throw error;
      unanswered += 1;
      if (unanswered >= toldFrom)
        lasting.tell(
          'poll',
          { error: messageOf(error), polls: unanswered },
          'etcd does not answer polls, while its watch lives: it has too much to do (more CPU for it, or a longer POLL, mends it); going on by the watch',
        );
    }
  };
}
