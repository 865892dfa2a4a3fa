import { paintFor, type Paint } from '../../src/cli/paint.js';
import { createLogs, type Logs } from './logs.js';
import { createSinks, type Sinks } from './sinks.js';
import { createTally, type Tally } from './tally.js';

/** What every target checks with. */
export interface Kit {
  readonly tally: Tally;
  readonly sinks: Sinks;
  readonly logs: Logs;
  /** The configuration that was made last, for HAProxy itself; null where there is none yet. */
  last: Configured | null;
  /** So many cases were checked; what is dear is done now and then. */
  cases: number;
}

export interface Configured {
  readonly text: string;
  readonly routes: string;
}

export function createKit(): Kit {
  const tally = createTally();
  const sinks = createSinks(tally);
  return { tally, sinks, logs: createLogs(sinks), last: null, cases: 0 };
}

/** As on a terminal. */
export const colours: Paint = paintFor({ isTTY: true, hasColors: () => true }, {});
