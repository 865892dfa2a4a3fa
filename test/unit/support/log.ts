import { pino } from 'pino';
import type { Logger } from '../../../src/ports/log.js';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger that keeps its lines. */
export function recordingLog(): { log: Logger; lines: LogLine[]; messages: (level?: string) => string[] } {
  const lines: LogLine[] = [];
  const options = { level: 'debug', base: null, formatters: { level: (label: string) => ({ level: label }) } };
  const log = pino(options, {
    write: (line) => {
      lines.push(JSON.parse(line) as LogLine);
    },
  });
  const messages = (level?: string): string[] =>
    lines.filter((line) => level === undefined || line.level === level).map(({ msg }) => msg);
  return { log, lines, messages };
}
