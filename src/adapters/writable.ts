import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Asked } from '../core/doctor/finding.js';
import { asked, codeOf } from './asked.js';

/** Whether a file can be written in a directory, or, where it is not there yet, in the nearest one above it. */
export async function examineDirectory(path: string): Promise<Asked<null>> {
  return asked(async () => {
    const probe = await mkdtemp(join(await nearest(path), '.doctor-'));
    try {
      await writeFile(join(probe, 'probe'), 'x'.repeat(4096));
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
    return null;
  });
}

async function nearest(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return nearest(dirname(path));
  }
}
