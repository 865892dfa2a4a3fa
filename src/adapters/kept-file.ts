import { messageOf } from '../core/errors.js';
import { writeWhole } from './files.js';

/** A file of ours that is written when it would say something else, and may stay behind where it can't be. */
export interface KeptFile {
  /** @returns why it could not be written; null where it could, or needed not */
  write(text: string): Promise<string | null>;
  /** Somebody else wrote it: it says this; null where that is not known. */
  says(text: string | null): void;
}

export function createKeptFile(path: string): KeptFile {
  let onDisk: string | null = null;
  return {
    async write(text) {
      if (text === onDisk) return null;
      onDisk = null;
      try {
        await writeWhole(path, text);
      } catch (error) {
        return messageOf(error);
      }
      onDisk = text;
      return null;
    },

    says(text) {
      onDisk = text;
    },
  };
}
