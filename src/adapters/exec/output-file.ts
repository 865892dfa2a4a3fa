import { rename, rm } from 'node:fs/promises';
import { ConfigurationRefusedError } from '../../ports/proxy.js';
import type { Output } from '../../ports/output.js';
import { writeWhole } from '../files.js';
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
    async take(text, signal) {
      await writeWhole(candidate, text);
      try {
        if (check !== null) {
          const result = await runShell({ command: check, env: { FILE: candidate }, timeoutMs }, signal);
          signal.throwIfAborted();
          if (result.code !== 0) throw new ConfigurationRefusedError(failureOf('EXEC_CHECK', result, timeoutMs));
        }
        await rename(candidate, path);
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

function failureOf(setting: string, { code, words, timedOut }: ShellResult, timeoutMs: number): string {
  const how = timedOut
    ? `was ended after ${String(timeoutMs)} ms (EXEC_TIMEOUT)`
    : code === null
      ? 'was killed'
      : `ended with ${String(code)}`;
  return `${setting} ${how}${words === '' ? '' : `: ${words.split('\n').slice(-5).join('; ')}`}`;
}
