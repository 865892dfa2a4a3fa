import { Command, CommanderError, type Option } from 'commander';
import { vi } from 'vitest';

/**
 * Parses a command line and environment as the programs do. What this machine's environment says of the settings is left
 * out; the environment is put back by `vi.unstubAllEnvs()`.
 */
export function parseSettings(
  options: readonly Option[],
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Command {
  const program = new Command('program').exitOverride().configureOutput({ writeErr: () => undefined });
  for (const option of options) {
    program.addOption(option);
    if (option.envVar !== undefined) vi.stubEnv(option.envVar, env[option.envVar]);
  }
  return program.parse([...args], { from: 'user' });
}

/** The message with which a command line is refused. */
export function refusalOf(...settings: Parameters<typeof parseSettings>): string {
  try {
    parseSettings(...settings);
  } catch (error) {
    if (error instanceof CommanderError || (error instanceof Error && error.name === 'SettingError'))
      return error.message;
    throw error;
  }
  throw new Error(`accepted, although it should be refused: ${settings[1].join(' ')}`);
}
