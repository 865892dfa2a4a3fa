import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Configured } from './kit.js';

/** HAProxy's own opinion of a configuration. */
export interface HaproxyCheck {
  /** @returns why HAProxy does not take it; null where it does */
  whyNot(configured: Configured): Promise<string | null>;
  dispose(): Promise<void>;
}

export async function createHaproxyCheck(binary: string): Promise<HaproxyCheck> {
  const dir = await mkdtemp(join(tmpdir(), 'fuzz-'));
  const [file, map] = [join(dir, 'haproxy.cfg'), join(dir, 'routes.map')];
  return {
    async whyNot({ text, routes }) {
      await writeFile(map, routes);
      await writeFile(file, text.replaceAll('/run/routes.map', map));
      try {
        await promisify(execFile)(binary, ['-c', '-f', file]);
        return null;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
}
