/**
 * Runs on a host of the lab: long-lived.ts PERIOD_MS TIMEOUT_MS COUNT PORT...
 *
 * Holds COUNT connections to each PORT of HOST (the environment variable), asks something over each every PERIOD_MS, and opens another one
 * for one that ends. When its stdin ends, it prints what became of them, as one line of JSON.
 */
import { connect } from 'node:net';

export interface Ending {
  /** Whoever answered on it, 12 hex digits. */
  readonly id: string;
  /** ms since 1970. */
  readonly atMs: number;
  /** The last answer said that the connection would be closed. */
  readonly announced: boolean;
  readonly why: string;
}

export interface LongLived {
  readonly opened: number;
  /** Questions that were answered. */
  readonly answers: number;
  /** Connections that ended before their time. */
  readonly endings: readonly Ending[];
}

const [periodMs = 0, timeoutMs = 0, count = 0, ...ports] = process.argv.slice(2).map(Number);
const host = process.env['HOST'] ?? '';
const endings: Ending[] = [];
let opened = 0;
let answers = 0;
let over = false;

function hold(port: number): void {
  let id = '';
  let text = '';
  let announced = false;
  let why = 'closed';
  let timer: NodeJS.Timeout | undefined;
  opened += 1;
  const socket = connect(port, host);
  const ask = (): void => {
    text = '';
    socket.write('GET / HTTP/1.1\r\nhost: bench\r\n\r\n');
    timer = setTimeout(() => {
      why = 'no answer';
      socket.destroy();
    }, timeoutMs);
  };
  socket.setNoDelay(true);
  socket.on('connect', ask);
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const [, answerer] = /\r\n\r\nI'm ([0-9a-f]{12})\n/.exec(text) ?? [];
    if (answerer === undefined) return;
    clearTimeout(timer);
    id = answerer;
    answers += 1;
    announced = /^connection: close\r$/im.test(text);
    if (!announced) timer = setTimeout(ask, periodMs);
  });
  socket.on('error', (error) => {
    why = error.message;
  });
  socket.on('close', () => {
    clearTimeout(timer);
    if (over) return;
    endings.push({ id, atMs: Date.now(), announced, why });
    // Not at once: where nobody answers, this would be a storm.
    setTimeout(hold, 100, port);
  });
}

for (const port of ports) for (let n = 0; n < count; n += 1) hold(port);
process.stdin.resume().on('end', () => {
  over = true;
  console.log(JSON.stringify({ opened, answers, endings } satisfies LongLived));
  process.exit(0);
});
