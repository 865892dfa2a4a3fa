import { rename, rm } from 'node:fs/promises';
import { messageOf } from '../../core/errors.js';
import { ConfigurationRefusedError } from '../../ports/proxy.js';
import type { Output } from '../../ports/output.js';
import { readIfThere, writeWhole } from '../files.js';
import { runShell, type ShellResult } from './shell.js';

export interface OutputFileOptions {
  /** The file. What is to be checked stands beside it, with `.candidate` behind its name. */
  readonly path: string;
  /** For `/bin/sh`, with `FILE` as the path of the candidate; null: nothing is checked. */
  readonly check: string | null;
  /** The same, with `FILE` as the path of the file. */
  readonly command: string;
  readonly timeoutMs: number;
}

export function createOutputFile({ path, check, command, timeoutMs }: OutputFileOptions): Output {
  const candidate = `${path}.candidate`;
  return {
    read: () => readIfThere(path),

    async take(text, signal) {
      await writeWhole(candidate, text);
      try {
        if (check !== null) {
          const result = await runShell({ command: check, env: { FILE: candidate }, timeoutMs }, signal);
          signal.throwIfAborted();
          // One that came to no end says nothing of the file.
          if (result.code === null) throw new Error(failureOf('EXEC_CHECK', result, timeoutMs));
          if (result.code !== 0) throw new ConfigurationRefusedError(failureOf('EXEC_CHECK', result, timeoutMs));
        }
        await replace(candidate, path);
      } finally {
        await rm(candidate, { force: true });
      }
    },

    async tell(signal) {
      const result = await runShell({ command, env: { FILE: path }, timeoutMs }, signal);
      signal.throwIfAborted();
      if (result.code !== 0) throw new Error(failureOf('EXEC', result, timeoutMs));
    },
  };
}

const mends: Readonly<Record<string, string>> = {
  EBUSY: 'it is a mount of its own; mount its directory instead',
  EISDIR: 'it is a directory; OUTPUT is a file',
};

async function replace(candidate: string, path: string): Promise<void> {
  try {
    await rename(candidate, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new Error(`${path} can't be replaced: ${mends[code] ?? messageOf(error)}`, { cause: error });
  }
}

function failureOf(setting: string, { code, words, timedOut }: ShellResult, timeoutMs: number): string {
  const how = timedOut
    ? `was ended after ${String(timeoutMs)} ms (EXEC_TIMEOUT)`
    : code === null
      ? 'was killed'
      : `ended with ${String(code)}`;
  return `${setting} ${how}${words === '' ? '' : `: ${words.split('\n').slice(-5).join('; ')}`}`;
}
