import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cantBeRead } from '../adapters/files.js';
import { SettingError } from '../core/errors.js';

/** A file that has what a setting would, such as a Docker secret. */
export interface LineFile {
  readonly setting: string;
  readonly path: string;
  /** What should stand in it. */
  readonly what: string;
}

/** @throws SettingError, in which what stands there is not told */
export async function lineIn(file: LineFile): Promise<string> {
  return lineOf(
    await readFile(file.path, 'utf8').catch((error: unknown) => {
      throw unreadable(file, error);
    }),
    file,
  );
}

/** As `lineIn`, for an option that is parsed. */
export function lineNowIn(file: LineFile): string {
  try {
    return lineOf(readFileSync(file.path, 'utf8'), file);
  } catch (error) {
    throw error instanceof SettingError ? error : unreadable(file, error);
  }
}

/** Editors and `echo` end a file with a newline, which is none of what stands in it. */
function lineOf(text: string, file: LineFile): string {
  const line = text.replace(/\r?\n$/, '');
  if (line === '') throw new SettingError(`${named(file)} is empty: write ${file.what} into it`);
  if (/[\r\n]/.test(line)) throw new SettingError(`${named(file)} has several lines: write ${file.what} alone into it`);
  return line;
}

function unreadable(file: LineFile, error: unknown): SettingError {
  return new SettingError(`${named(file)} ${cantBeRead(error)}`);
}

function named({ setting, path }: LineFile): string {
  return `${setting} ${JSON.stringify(path)}`;
}
