import { makeDirectory } from './directories.js';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../core/errors.js';
import { codeOf } from './asked.js';

/**
 * Writes a file so that a reader, or a crash, finds the old or the new one whole. Readable by the owner only.
 *
 * @throws an error that names the path, and the mend where it is known
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  try {
    await makeDirectory(dirname(path));
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
  return forbiddenTo('write', error) ?? mends[codeOf(error) ?? ''] ?? messageOf(error);
}

/** In words, with the mend, that the user who runs this may not do it; null where that is not why. */
export function forbiddenTo(what: 'read' | 'write', error: unknown): string | null {
  if (!['EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return null;
  const user = String(process.getuid?.() ?? '');
  return `user ${user} may not ${what} there; give it to that user (chown -R ${user}), or run as its owner (a container: --user)`;
}

/** What to say behind the name of a file that somebody chose. */
export function cantBeRead(error: unknown): string {
  const otherwise = `${messageOf(error)}; give the path of a file that may be read, in a container one that is mounted`;
  return `can't be read: ${forbiddenTo('read', error) ?? otherwise}`;
}

/** The text of a file, or null where there is none. @throws an error that names the path, and the mend where it is known */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    const forbidden = forbiddenTo('read', error);
    throw forbidden === null ? error : new Error(`${path} can't be read: ${forbidden}`, { cause: error });
  }
}
