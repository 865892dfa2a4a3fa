import { rename } from 'node:fs/promises';
import { messageOf } from '../../core/errors.js';
import { writeWhole } from '../files.js';
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
  /** What the file holds; null where that is not known. */
  let onDisk: string | null = null;

  const write = async (text: string): Promise<string | null> => {
    if (text === onDisk) return null;
    onDisk = null;
    try {
      await writeWhole(paths.config, text);
    } catch (error) {
      return messageOf(error);
    }
    onDisk = text;
    return null;
  };

  return {
    offer: (text) => writeWhole(paths.candidate, text),

    async take(text) {
      onDisk = null;
      await rename(paths.candidate, paths.config);
      onDisk = text;
    },

    async giveBack() {
      if (lastGood !== null) await write(lastGood);
    },

    async keep(text) {
      lastGood = text;
      return write(text);
    },
  };
}
