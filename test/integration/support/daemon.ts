import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A daemon of ours as its own process, from the source. */
export interface Daemon {
  readonly pid: number;
  /** Everything that it wrote to standard output and standard error. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

export function startDaemon(
  name: 'docker-register' | 'docker-discover',
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Daemon {
  const child = spawn(process.execPath, ['--import', 'tsx', `src/cli/${name}.ts`, ...args], {
    cwd: root,
    // Several daemons of one kind run side by side in tests.
    env: { PATH: process.env['PATH'], METRICS_BIND: 'none', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    signal: (signal) => child.kill(signal),
    ended,
  };
}

/** Runs a command of ours to its end. */
export async function runDaemon(
  name: 'docker-register' | 'docker-discover',
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const daemon = startDaemon(name, args, env);
  return { code: await daemon.ended, output: daemon.output() };
}
