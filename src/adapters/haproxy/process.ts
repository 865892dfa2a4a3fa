import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseLogLine } from '../../core/haproxy/log-line.js';
import type { Logger } from '../../ports/log.js';

/** What is kept of HAProxy's words for the message when it does not start. */
const keptLines = 40;
/** A HAProxy that crashes in a loop is told of once in this time. */
const reminderMs = 60_000;

export interface Master {
  isRunning(): boolean;
  /** What it last wrote, for the message of a failed start. */
  words(): string;
  /** It is no longer the HAProxy of the daemon, and ends when its last connection does. */
  letGo(): void;
  /** Soft stop: listeners close at once, connections may finish within `timeoutMs`; then it is ended. */
  stop(timeoutMs: number): Promise<void>;
  /** Ends it at once; for a start that failed. */
  kill(): Promise<void>;
}

export interface MasterOptions {
  readonly binary: string;
  readonly configPath: string;
  readonly masterSocket: string;
  readonly log: Logger;
  readonly tellExit: (how: object) => void;
  /** Not called after `letGo`. */
  readonly onExit: () => void;
}

/** Starts HAProxy in master-worker mode, in the foreground: one master for the life of the daemon, a worker per reload. */
export function startMaster({ binary, configPath, masterSocket, log, tellExit, onExit }: MasterOptions): Master {
  const child = spawn(binary, ['-W', '-S', `${masterSocket},mode,600`, '-f', configPath], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
    // A process group of its own: Ctrl-C in a terminal is for the daemon, which then stops HAProxy softly.
    detached: true,
  });
  const endWithUs = (): void => {
    child.kill('SIGTERM');
  };
  process.once('exit', endWithUs);
  const kept: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      kept.push(line);
      if (kept.length > keptLines) kept.shift();
      logLine(line, log);
    });
  }
  let isExpected = false;
  let isLetGo = false;
  child.once('error', (error) => {
    log.error({ error: error.message }, 'HAProxy could not be run');
  });
  child.once('exit', (code, signal) => {
    process.off('exit', endWithUs);
    if (!isExpected) tellExit({ code, signal });
    if (!isLetGo) onExit();
  });

  const end = async (signal: NodeJS.Signals, timeoutMs: number): Promise<void> => {
    if (!isRunning(child)) return;
    isExpected = true;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = new AbortController();
    await Promise.race([exited, sleep(timeoutMs, undefined, { signal: timer.signal, ref: false })]);
    timer.abort();
  };

  return {
    isRunning: () => isRunning(child),
    words: () => kept.join('\n'),
    letGo() {
      isExpected = true;
      isLetGo = true;
    },
    async stop(timeoutMs) {
      await end('SIGUSR1', timeoutMs);
      if (isRunning(child)) log.warn({ timeoutMs }, 'connections are still open; HAProxy is stopped with them');
      await this.kill();
    },
    async kill() {
      await end('SIGTERM', 2_000);
      await end('SIGKILL', 2_000);
    },
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Tells of the exits of one HAProxy after the other. */
export function createExitTeller(log: Logger): (how: object) => void {
  let toldAt = -Infinity;
  return (how) => {
    const isTold = performance.now() - toldAt < reminderMs;
    if (!isTold) toldAt = performance.now();
    log[isTold ? 'debug' : 'error'](how, 'HAProxy exited');
  };
}

function logLine(line: string, log: Logger): void {
  const parsed = parseLogLine(line);
  if (parsed !== null) log[parsed.level](parsed.fields, parsed.message);
}
