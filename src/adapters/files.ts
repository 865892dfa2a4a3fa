import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../core/errors.js';

/**
 * Writes a file so that a reader, or a crash, finds the old or the new one whole. Readable by the owner only.
 *
 * @throws an error that names the path, and the mend where it is known
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(next, text, { mode: 0o600 });
    await rename(next, path);
  } catch (error) {
    // The part that was written would take the space that is missing.
    await rm(next, { force: true }).catch(() => undefined);
    throw new Error(`${path} can't be written: ${causeOf(error)}`, { cause: error });
  }
}

const mends: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left; free some',
  EDQUOT: 'no space is left in the quota; free some',
  EROFS: 'it is mounted read-only; mount it writable',
};

function causeOf(error: unknown): string {
  const mend =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? mends[error.code] : undefined;
  return mend ?? messageOf(error);
}

/** The text of a file, or null where there is none. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
