import { pino, stdTimeFunctions, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { codeOf } from '../core/result.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export const logFormats = ['auto', 'json', 'text'] as const;

export interface LogSettings {
  readonly logLevel: (typeof logLevels)[number];
  readonly logFormat: (typeof logFormats)[number];
}

/** Where the lines go: standard output, or what a test reads. */
export interface LogOutput {
  readonly write: (lines: string) => void;
  readonly isTerminal: boolean;
}

/**
 * One line per event: JSON for machines, text for a terminal. Whatever is in it from outside, it is one line, of printable ASCII but
 * for the colours.
 */
export function createLogger(
  name: string,
  { logLevel, logFormat }: LogSettings,
  output: LogOutput = standardOutput(),
): Logger {
  const isText = logFormat === 'text' || (logFormat === 'auto' && output.isTerminal);
  const options = {
    level: logLevel,
    base: { name },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: isText ? plainOf : asciiOf },
  };
  if (!isText) return pino(options, output);
  const textOf = prettyFactory({ colorize: output.isTerminal, ignore: 'name', singleLine: true });
  return pino(options, {
    write(line) {
      output.write(textOf(line));
    },
  });
}

function standardOutput(): LogOutput {
  const stream = pino.destination(1);
  return { write: (lines) => stream.write(lines), isTerminal: process.stdout.isTTY };
}

/** The same JSON without what a terminal would obey: JSON itself lets C1 controls and direction marks pass. */
function asciiOf(line: string): string {
  return line.replace(/[^\n -~…]/g, codeOf);
}

/** Of what becomes text the escapes stay escapes; the pretty printer would write the characters themselves. */
function plainOf(line: string): string {
  return asciiOf(line).replace(/\\(.)/g, (escape, unit: string) => ('"\\/'.includes(unit) ? escape : `\\${escape}`));
}
