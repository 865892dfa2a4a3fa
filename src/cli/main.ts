import { CommanderError, type Command } from 'commander';
import { inAscii } from '../core/result.js';
import { isAbort, messageOf, SettingError } from '../core/errors.js';

export const exitCodes = [
  [0, 'fine'],
  [1, 'failure at run time'],
  [2, 'wrong usage or configuration'],
] as const;

/** Variables whose values nobody may read. */
const secrets = ['ETCD_PASSWORD', 'STATS_AUTH'];

/** Runs it, and ends with one of the exit codes. */
export async function main(program: Command): Promise<void> {
  // Node has a word on gRPC's TLS to an address instead of a name, for whoever wrote it, not for whoever reads the log.
  process.noDeprecation = true;
  // A variable that is set to nothing (`-e TTL=`) is one that is not set.
  for (const [name, value] of Object.entries(process.env)) if (value === '') Reflect.deleteProperty(process.env, name);
  // What we start (EXEC, HAProxy) has no use for them, and what EXEC prints is logged.
  program.hook('preAction', () => {
    for (const name of secrets) Reflect.deleteProperty(process.env, name);
  });
  // Of a flag that is mistyped, its value may be a secret all the same.
  for (const command of [program, ...program.commands])
    command.configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^(error: unknown option '[^'=]+)=.*/, "$1'"));
      },
    });
  // Whoever reads has read enough: `ls | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`${program.name()}: standard output can't be written: ${messageOf(error)}\n`);
    process.exit(1);
  });
  // Without a command the daemon runs, and tells of a word that is none.
  for (const command of program.commands) command.allowExcessArguments(false);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error, program.name());
  }
}

function exitCodeOf(error: unknown, name: string): number {
  // Commander has already said what was wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  process.stderr.write(`${name}: ${messageOf(error).split('\n').map(inAscii).join('\n')}\n`);
  return error instanceof SettingError ? 2 : 1;
}

/** Runs a daemon until SIGTERM or SIGINT. */
export async function runUntilSignal(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => {
    controller.abort();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    await run(controller.signal);
  } catch (error) {
    if (!(controller.signal.aborted && isAbort(error))) throw error;
  } finally {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
  }
}

/** Commander takes a word that is no command for an argument of the daemon, which has none. */
export function refuseArguments(program: Command): void {
  const [word] = program.args;
  if (word === undefined) return;
  const commands = program.commands.map((command) => command.name()).join(', ');
  throw new SettingError(
    `unknown command ${JSON.stringify(word)}; there are ${commands}, and without a command the daemon runs`,
  );
}

/** @throws SettingError where a required setting was not given */
export function required<T>(value: T | undefined, message: string): T {
  if (value === undefined) throw new SettingError(message);
  return value;
}
