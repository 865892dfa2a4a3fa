import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './command.js';

export const projectDir = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Outside the work tree: a fresh clone finds what an earlier one has built from the same inputs. */
export function cacheDir(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'docker-discover-lab');
}

/** The data root of a host's engine. Engines of other versions have theirs apart: a data root knows no way back. */
export async function engineCache(name: string): Promise<string> {
  const { stdout } = await runCommand(['dockerd', '--version']);
  const version = /version ([\w.]+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`dockerd --version: no version in ${JSON.stringify(stdout)}`);
  return join(cacheDir(), 'engines', version, name);
}

/** A hash over the project's files and directories of these names, and over some text. */
export async function hashOf(paths: readonly string[], text = ''): Promise<string> {
  const files = await Promise.all(paths.map(filesBelow));
  const hash = createHash('sha256').update(text);
  for (const file of files.flat().sort()) {
    hash.update(`\0${file}\0`).update(await readFile(join(projectDir, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Makes a directory in the cache: in a temporary one first, so that a directory under its final name is always whole. */
export async function publish(kind: string, key: string, make: (dir: string) => Promise<void>): Promise<string> {
  const parent = join(cacheDir(), kind);
  const final = join(parent, key);
  const temporary = await temporaryDir();
  try {
    await make(temporary);
    await mkdir(parent, { recursive: true });
    await rename(temporary, final);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return final;
}

export async function temporaryDir(): Promise<string> {
  const parent = join(cacheDir(), 'tmp');
  await mkdir(parent, { recursive: true });
  return mkdtemp(join(parent, `${String(process.pid)}-`));
}

/** Drops what killed runs have left. Only for the one who holds the images' lock. */
export async function dropTemporaries(): Promise<void> {
  await rm(join(cacheDir(), 'tmp'), { recursive: true, force: true });
}

/** Notes the use of an entry, and drops all but the few last used. */
export async function keepFew(kind: string, used: string, count = 3): Promise<void> {
  const parent = join(cacheDir(), kind);
  const now = new Date();
  await utimes(join(parent, used), now, now);
  const names = await readdir(parent);
  const aged = await Promise.all(
    names.map(async (name) => ({ name, usedAt: (await stat(join(parent, name))).mtimeMs })),
  );
  const old = aged.sort((a, b) => b.usedAt - a.usedAt).slice(count);
  await Promise.all(old.map(({ name }) => rm(join(parent, name), { recursive: true, force: true })));
}

async function filesBelow(path: string): Promise<string[]> {
  const full = join(projectDir, path);
  if (!existsSync(full)) return [];
  if ((await stat(full)).isFile()) return [path];
  const entries = await readdir(full, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(projectDir.length + 1));
}
