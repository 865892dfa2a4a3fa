import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What is kept of the words of a command. */
const mostWords = 2_000;
/** From SIGTERM to SIGKILL. */
const graceMs = 2_000;

export interface ShellOptions {
  /** For `/bin/sh -c`. */
  readonly command: string;
  /** Beside the daemon's own variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** What a command said, and how it ended: null where it was killed. */
export interface ShellResult {
  readonly code: number | null;
  readonly words: string;
  readonly timedOut: boolean;
}

/**
 * Runs a command of the user to its end. One that takes longer than its time, or when `signal` fires, is ended with all that it
 * started: asked first, killed after two seconds.
 */
export async function runShell({ command, env, timeoutMs }: ShellOptions, signal: AbortSignal): Promise<ShellResult> {
  signal.throwIfAborted();
  // Its own process group, so that what it started can be ended with it.
  const child = spawn('/bin/sh', ['-c', command], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-mostWords)));

  const killers: NodeJS.Timeout[] = [];
  const end = (): void => {
    endGroup(child.pid, 'SIGTERM');
    killers.push(setTimeout(endGroup, graceMs, child.pid, 'SIGKILL'));
  };
  const deadline = AbortSignal.timeout(timeoutMs);
  const both = AbortSignal.any([signal, deadline]);
  both.addEventListener('abort', end, { once: true });
  try {
    // Not `close`: something that goes on in the background may keep the pipes for ever.
    const [code] = (await once(child, 'exit')) as [number | null];
    return { code: both.aborted ? null : code, words: words.trim(), timedOut: deadline.aborted };
  } finally {
    for (const killer of killers) clearTimeout(killer);
    // The shell has ended; what it started may not have.
    if (both.aborted) endGroup(child.pid, 'SIGKILL');
    both.removeEventListener('abort', end);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nobody of it is left.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
