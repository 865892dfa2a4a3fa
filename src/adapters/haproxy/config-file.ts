import { rename } from 'node:fs/promises';
import { writeWhole } from '../files.js';
import { createKeptFile } from '../kept-file.js';
import type { ProxyPaths } from './paths.js';

/** haproxy.cfg: what the running worker has. Where it can't be written it stays behind, and catches up with the next call. */
export interface ConfigFile {
  /** Writes the candidate, which HAProxy is to check. */
  offer(text: string): Promise<void>;
  /** The candidate becomes the file, for HAProxy to load. */
  take(text: string): Promise<void>;
  /** HAProxy did not load it: the last good text is the file's again. Never rejects. */
  giveBack(): Promise<void>;
  /** The worker has what this text says, by whatever way. @returns why the file could not be written; null where it could */
  keep(text: string): Promise<string | null>;
}

export function createConfigFile(paths: ProxyPaths): ConfigFile {
  let lastGood: string | null = null;
  const file = createKeptFile(paths.config);

  return {
    offer: (text) => writeWhole(paths.candidate, text),

    async take(text) {
      file.says(null);
      await rename(paths.candidate, paths.config);
      file.says(text);
    },

    async giveBack() {
      if (lastGood !== null) await file.write(lastGood);
    },

    keep(text) {
      lastGood = text;
      return file.write(text);
    },
  };
}
