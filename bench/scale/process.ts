import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A built daemon, with the options of Node that its image has. */
export interface MeasuredDaemon {
  readonly pid: number;
  /** Calls back with each line that it logs, as it comes. */
  onLine(callback: (line: string) => void): void;
  /** The last of what it logged. */
  tail(): string;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
}

/** What a process has used so far. */
export interface Use {
  /** CPU time, ms; the kernel counts in steps of 10. */
  readonly cpuMs: number;
  /** Resident memory, MiB. */
  readonly mib: number;
}

const tailLines = 40;

export function startBuilt(
  name: 'docker-register' | 'docker-discover',
  env: Readonly<Record<string, string>>,
): MeasuredDaemon {
  const child = spawn(process.execPath, ['--max-semi-space-size=2', `dist/cli/${name}.js`], {
    cwd: root,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const callbacks: ((line: string) => void)[] = [];
  let last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      last = [...last, ...lines].slice(-tailLines);
      for (const line of lines) for (const callback of callbacks) callback(line);
    });
  }
  const ended = once(child, 'close');
  return {
    pid: child.pid ?? 0,
    onLine: (callback) => void callbacks.push(callback),
    tail: () => last.join('\n'),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Of those of them that still run. */
export function usedByAll(pids: readonly number[]): Use {
  const alive = new Set(pids.filter((pid) => existsSync(`/proc/${String(pid)}/stat`)));
  const uses = [...alive].map(useOf);
  return {
    cpuMs: uses.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    mib: uses.reduce((sum, { mib }) => sum + mib, 0),
  };
}

export function useOf(pid: number): Use {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  // Behind the name, which may hold spaces: the 12th and 13th, in hundredths of a second (proc(5): utime, stime).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? '0';
  return { cpuMs: 10 * (Number(fields[11]) + Number(fields[12])), mib: Number(resident) / 1024 };
}

/** Processes whose command line has all of these words. */
export function pidsOf(...words: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const commandLine = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8');
        return words.every((word) => commandLine.includes(word));
      } catch (error) {
        // It ended meanwhile.
        if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
        throw error;
      }
    });
}

/** The only one. */
export function pidOf(...words: readonly string[]): number {
  const pids = pidsOf(...words);
  const [pid] = pids;
  if (pid === undefined || pids.length > 1)
    throw new Error(`${String(pids.length)} processes have ${words.join(' and ')}`);
  return pid;
}
