import { pino, stdTimeFunctions, type Logger } from 'pino';
import { PinoPretty } from 'pino-pretty';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export const logFormats = ['auto', 'json', 'text'] as const;

export interface LogSettings {
  readonly logLevel: (typeof logLevels)[number];
  readonly logFormat: (typeof logFormats)[number];
}

/** One line per event on standard output: JSON for machines, text for a terminal. */
export function createLogger(name: string, { logLevel, logFormat }: LogSettings): Logger {
  const options = {
    level: logLevel,
    base: { name },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const text = logFormat === 'text' || (logFormat === 'auto' && process.stdout.isTTY);
  if (!text) return pino(options);
  return pino(options, PinoPretty({ colorize: process.stdout.isTTY, ignore: 'name', singleLine: true, sync: true }));
}
