import type { Logger } from '../ports/log.js';

const reminderMs = 60_000;

/** A fault that lasts is told at its start, then once a minute, then at its end. */
export interface LastingFault {
  /** How it is now: the fields of its line, or null where all is well. */
  tell(fields: Readonly<Record<string, unknown>> | null): void;
}

/** @param words the constant messages of the lines */
export function createLastingFault(words: { readonly fault: string; readonly end: string }, log: Logger): LastingFault {
  let since: number | null = null;
  let toldAt = 0;
  return {
    tell(fields) {
      const now = performance.now();
      if (fields === null) {
        if (since !== null) log.info({ afterMs: Math.round(now - since) }, words.end);
        since = null;
        return;
      }
      if (since !== null && now - toldAt <= reminderMs) return;
      toldAt = now;
      log.error({ ...fields, ...(since !== null && { forMs: Math.round(now - since) }) }, words.fault);
      since ??= now;
    },
  };
}
