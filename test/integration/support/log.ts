import { pino, type Logger } from 'pino';

export interface TestLog {
  readonly log: Logger;
  /** Every line so far, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly has: (message: string) => boolean;
}

/** The real logger, into memory. */
export function createTestLog(): TestLog {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => {
    lines.push(JSON.parse(text) as Record<string, unknown>);
  };
  const log = pino({ level: 'debug', base: null }, { write });
  return { log, lines, has: (message) => lines.some(({ msg }) => msg === message) };
}
