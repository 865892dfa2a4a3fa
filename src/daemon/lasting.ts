import type { Logger } from '../ports/log.js';

const reminderMs = 60_000;

/** Faults that last, one line each at its start, once a minute and at its end. */
export interface Lasting {
  /** It is so, still or since now. */
  warn(about: string, fields: object, message: string): void;
  /** It is no longer so; says nothing of what was never told. */
  end(about: string, fields: object, message: string): void;
  /** All that were told and have not ended. */
  open(): readonly string[];
}

export function createLasting(log: Logger): Lasting {
  const faults = new Map<string, { readonly sinceMs: number; readonly toldMs: number }>();
  return {
    warn(about, fields, message) {
      const nowMs = performance.now();
      const { sinceMs, toldMs } = faults.get(about) ?? { sinceMs: nowMs, toldMs: -Infinity };
      if (nowMs - toldMs < reminderMs) return;
      faults.set(about, { sinceMs, toldMs: nowMs });
      log.warn({ ...fields, forMs: Math.round(nowMs - sinceMs) }, message);
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
