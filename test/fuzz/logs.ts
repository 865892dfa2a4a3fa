import { createLogger } from '../../src/cli/log.js';
import type { Logger } from '../../src/ports/log.js';
import type { Sinks } from './sinks.js';

/** The daemons' own logs, as JSON and as text in colours, and what was written to them. */
export interface Logs {
  /** Lets something log, and checks what it wrote: a line for each event. */
  check(write: (log: Logger) => void, alsoAsText: boolean): void;
}

type Write = (fields: object, message: string) => void;

export function createLogs(sinks: Sinks): Logs {
  const json = createRecorder('json', false);
  const text = createRecorder('text', true);
  return {
    check(write, alsoAsText) {
      const told = json.recorded(write);
      sinks.logJson(told.text, told.events);
      if (!alsoAsText) return;
      const shown = text.recorded(write);
      sinks.logText(shown.text, shown.events);
    },
  };
}

function createRecorder(
  logFormat: 'json' | 'text',
  isTerminal: boolean,
): { recorded(write: (log: Logger) => void): { text: string; events: number } } {
  let written = '';
  const output = { write: (lines: string) => (written += lines), isTerminal };
  const own = createLogger('fuzz', { logLevel: 'debug', logFormat }, output);
  let events = 0;
  const counted =
    (level: 'debug' | 'info' | 'warn' | 'error'): Write =>
    (fields, message) => {
      events += 1;
      own[level](fields, message);
    };
  const log = {
    debug: counted('debug'),
    info: counted('info'),
    warn: counted('warn'),
    error: counted('error'),
  } as unknown as Logger;
  return {
    recorded(write) {
      written = '';
      events = 0;
      write(log);
      return { text: written, events };
    },
  };
}
