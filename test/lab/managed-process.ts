import { existsSync, readFileSync } from 'node:fs';
import { quote } from './command.js';
import type { Host } from './host.js';
import { waitFor } from './wait-for.js';

/** A daemon of the lab itself (etcd, an engine) inside a host. */
export interface ManagedProcess {
  /** Starts it and waits until it is ready. */
  start(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** SIGSTOP: it answers nothing any more, but its connections stay up. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  running(): boolean;
  /** All that it has printed. */
  log(): string;
}

export interface ManagedProcessSpec {
  readonly name: string;
  readonly command: string;
  /** Resolves to true when it answers. */
  readonly ready: () => Promise<boolean>;
}

/**
 * It is started in the background by the host's first process rather than as our child, so that SIGSTOP stops it alone, and so
 * that it ends with the host.
 */
export function managedProcess(host: Host, spec: ManagedProcessSpec): ManagedProcess {
  const { name } = spec;
  const pidFile = `/run/lab/${name}.pid`;
  const logFile = `/run/lab/${name}.log`;
  let pid: number | undefined;

  const running = (): boolean => pid !== undefined && isRunning(`${host.root}/proc/${String(pid)}/stat`);
  const log = (): string => readIfThere(`${host.root}${logFile}`);
  const signal = async (signalName: string): Promise<void> => {
    if (!running()) throw new Error(`${name} is not running on ${host.name}`);
    await host.run(`kill -${signalName} ${String(pid)}`);
  };
  const end = async (signalName: string): Promise<void> => {
    if (!running()) return;
    await signal(signalName);
    // One that is paused would get it only when it goes on.
    await host.run(`kill -CONT ${String(pid)} 2>/dev/null`, { check: false });
    await waitFor(`${name} on ${host.name} to end`, () => !running(), { timeoutMs: 20_000, intervalMs: 20 });
  };

  return {
    start: async () => {
      if (running()) throw new Error(`${name} is already running on ${host.name}`);
      const started = `echo $$ >${pidFile}; exec ${spec.command}`;
      await host.run(`rm -f ${pidFile}; setsid -f bash -c ${quote(started)} >>${logFile} 2>&1 </dev/null`);
      try {
        const pidText = await waitFor(`the PID of ${name}`, () => readIfThere(`${host.root}${pidFile}`).trim(), {
          intervalMs: 10,
        });
        pid = Number(pidText);
        // An early end is an outcome too: it makes no sense to wait for it to answer.
        await waitFor(`${name} to answer`, async () => !running() || (await spec.ready()), {
          timeoutMs: 60_000,
          intervalMs: 50,
        });
        if (!running()) throw new Error('it ended at once');
      } catch (cause) {
        throw new Error(`${name} on ${host.name} did not start:\n${lastLines(log(), 20)}`, { cause });
      }
    },
    stop: () => end('TERM'),
    kill: () => end('KILL'),
    pause: () => signal('STOP'),
    resume: () => signal('CONT'),
    running,
    log,
  };
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** True for a process that is there and no zombie. Its name, in parentheses, may hold spaces. */
function isRunning(statFile: string): boolean {
  const stat = readIfThere(statFile);
  return stat !== '' && !/\) [ZX] /.test(stat);
}
