import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeDirectory } from '../../../src/adapters/directories.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'directories-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('makes what is missing, for its owner alone, and is content with what is there', async () => {
  const path = join(dir, 'a/b/c');
  await makeDirectory(path);
  await makeDirectory(path);
  for (const one of ['a', 'a/b', 'a/b/c']) expect((await stat(join(dir, one))).mode & 0o777).toBe(0o700);
});

test.each(['/proc/none', '/proc/none/below'])('fails where none can be made, and ends: %s', async (path) => {
  await expect(makeDirectory(path)).rejects.toThrow(/ENOENT/);
});

test('fails where a file is in the way', async () => {
  await writeFile(join(dir, 'file'), '');
  await expect(makeDirectory(join(dir, 'file'))).rejects.toThrow(/EEXIST/);
  await expect(makeDirectory(join(dir, 'file/below'))).rejects.toThrow(/ENOTDIR/);
});
