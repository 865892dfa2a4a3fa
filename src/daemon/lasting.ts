import type { Logger } from '../ports/log.js';

const reminderMs = 60_000;

/** Faults that last, one line each at its start, once a minute and at its end. */
export interface Lasting {
  /** It is so, still or since now. */
  tell(about: string, fields: object, message: string): void;
  /** It is no longer so; says nothing of what was never told. */
  end(about: string, fields: object, message: string): void;
  /** All that were told and have not ended. */
  open(): readonly string[];
}

export function createLasting(log: Logger, level: 'warn' | 'error' = 'warn'): Lasting {
  const faults = new Map<string, { readonly sinceMs: number; readonly toldMs: number }>();
  return {
    tell(about, fields, message) {
      const nowMs = performance.now();
      const { sinceMs, toldMs } = faults.get(about) ?? { sinceMs: nowMs, toldMs: -Infinity };
      if (nowMs - toldMs < reminderMs) return;
      faults.set(about, { sinceMs, toldMs: nowMs });
      log[level]({ ...fields, forMs: Math.round(nowMs - sinceMs) }, message);
    },

    end(about, fields, message) {
      const fault = faults.get(about);
      if (fault === undefined) return;
      faults.delete(about);
      log.info({ ...fields, afterMs: Math.round(performance.now() - fault.sinceMs) }, message);
    },

    open: () => [...faults.keys()],
  };
}

/** One fault that lasts. */
export interface LastingFault {
  /** How it is now: the fields of its line, or null where all is well. */
  tell(fields: Readonly<Record<string, unknown>> | null): void;
}

/** @param words the constant messages of the lines */
export function createLastingFault(words: { readonly fault: string; readonly end: string }, log: Logger): LastingFault {
  const lasting = createLasting(log, 'error');
  return {
    tell(fields) {
      if (fields === null) lasting.end('', {}, words.end);
      else lasting.tell('', fields, words.fault);
    },
  };
}
