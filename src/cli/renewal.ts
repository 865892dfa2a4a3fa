import { messageOf } from '../core/errors.js';
import { createLastingFault } from '../daemon/lasting.js';
import { every } from '../daemon/lifecycle.js';
import type { Logger } from '../ports/log.js';

/** Certificates are renewed days before they end; a password is changed a moment after the one in etcd. */
const lookMs = 10_000;

/** Files that are read while the daemon runs. */
export interface Renewal<T> {
  /** @throws where one of them can't be used */
  readonly read: () => Promise<T>;
  /** Two that have the same text are the same. */
  readonly textOf: (read: T) => string;
  /** As it was read at the start. */
  readonly initial: T;
  readonly adopt: (read: T) => void;
  /** The constant messages of the lines: something can't be used, can be used again, was adopted. */
  readonly words: { readonly fault: string; readonly end: string; readonly adopted: string };
  readonly log: Logger;
}

/**
 * Takes files when something else stands in them; while one is broken, what was read before holds. All are read each time: a
 * renewed file may have the old one's date and size, and a Docker secret is a link to another file.
 */
export function renew<T>({ read, textOf, initial, adopt, words, log }: Renewal<T>, signal: AbortSignal): Promise<void> {
  let taken = textOf(initial);
  let lastFault: string | null = null;
  const fault = createLastingFault(words, log);
  const look = async (): Promise<void> => {
    try {
      const now = await read();
      lastFault = null;
      fault.tell(null);
      if (textOf(now) === taken) return;
      adopt(now);
      taken = textOf(now);
      log.info({}, words.adopted);
    } catch (error) {
      // Who renews certificate and key one after the other is between the two for a moment.
      const reason = messageOf(error);
      if (reason === lastFault) fault.tell({ reason });
      lastFault = reason;
    }
  };
  return every(lookMs, look, signal);
}
