import type { Logger } from '../../src/ports/log.js';
import type { Meter } from '../../src/ports/meter.js';

/** Neither a log nor metrics: a thousand daemons in one process would tell of nothing else. */
export const silent: { readonly log: Logger; readonly meter: Meter } = {
  log: {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error(fields, message) {
      console.error(message, JSON.stringify(fields));
    },
  },
  meter: { count: () => undefined, observe: () => undefined },
};
