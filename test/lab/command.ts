import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Before a command line. Without `--norc` bash takes the socket that Node gives it as stdin for a remote login, and runs the
 * user's ~/.bashrc first.
 */
export const SHELL = ['bash', '--norc', '-c'] as const;

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code, or 128 plus the number of the signal that ended it, as a shell has it. */
  readonly code: number;
}

export interface CommandOptions {
  readonly timeoutMs?: number;
  /** Reject when the exit code is not 0 (the default). */
  readonly check?: boolean;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Gets stdout and stderr as they come. */
  readonly onOutput?: (text: string) => void;
}

export class CommandError extends Error {
  override readonly name = 'CommandError';
  // Private, so that whoever prints this error does not print the whole output as well: the message has the end of it.
  readonly #result: CommandResult;
  constructor(
    readonly command: string,
    readonly reason: string,
    result: CommandResult,
  ) {
    const output = [tail(result.stdout), tail(result.stderr)].filter((text) => text !== '').join('\n');
    super(`${command}: ${reason}${output === '' ? '' : `\n${output}`}`);
    this.#result = result;
  }
  get result(): CommandResult {
    return this.#result;
  }
}

/** Runs a program to its end. It gets a process group of its own, so that at the deadline its children end with it. */
export function runCommand(
  argv: readonly [string, ...string[]],
  options: CommandOptions = {},
  shownAs: string = argv.join(' '),
): Promise<CommandResult> {
  const { timeoutMs = 60_000, check = true, input, env = process.env, cwd, onOutput } = options;
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { detached: true, env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      signalGroup(child.pid, 'SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onOutput?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onOutput?.(text);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      const code = exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      const result = { stdout, stderr, code };
      if (timedOut) reject(new CommandError(shownAs, `no end after ${String(timeoutMs)} ms`, result));
      else if (check && code !== 0) reject(new CommandError(shownAs, `exit code ${String(code)}`, result));
      else resolve(result);
    });
    // A program that doesn't read its input to the end is no failure of ours; its exit code tells.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error);
    });
    child.stdin.end(input ?? '');
  });
}

/** Signals a process group that we started; one that has ended meanwhile is fine. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** One shell word, quoted only where it must be. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-30).join('\n');
}
