import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is kept of the words of a command. */
const mostWords = 2_000;
/** For what it said at last, which may be read a moment after its end. */
const lastWordsMs = 200;
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
 * Runs a command of the user to its end. One that takes longer than its time, or when `signal` fires, is ended with its process
 * group: asked first, killed after two seconds.
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

  const closed = new Promise((resolve) => child.once('close', resolve));
  const killers: NodeJS.Timeout[] = [];
  const end = (): void => {
    endGroup(child.pid, 'SIGTERM');
    killers.push(setTimeout(endGroup, graceMs, child.pid, 'SIGKILL'));
  };
  const deadline = AbortSignal.timeout(timeoutMs);
  const both = AbortSignal.any([signal, deadline]);
  both.addEventListener('abort', end, { once: true });
  try {
    // Not `close` alone: what goes on in the background keeps the pipes, and is still read, or it would die of them.
    const [code] = (await once(child, 'exit')) as [number | null];
    if (both.aborted) await groupEnds(child.pid);
    await Promise.race([closed, sleep(lastWordsMs)]);
    return { code: both.aborted ? null : code, words: words.trim(), timedOut: deadline.aborted };
  } finally {
    for (const killer of killers) clearTimeout(killer);
    both.removeEventListener('abort', end);
    for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
  }
}

/** The shell has ended, and what it started has the rest of its time. */
async function groupEnds(pid: number | undefined): Promise<void> {
  const deadline = performance.now() + graceMs;
  while (endGroup(pid, 0) && performance.now() < deadline) await sleep(20);
  endGroup(pid, 'SIGKILL');
}

/** @returns whether somebody of it is left */
function endGroup(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
