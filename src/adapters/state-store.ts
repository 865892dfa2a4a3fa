import type { StateStore } from '../ports/state-store.js';
import { readIfThere, writeWhole } from './files.js';

export function createStateStore(path: string): StateStore {
  return { load: () => readIfThere(path), save: (text) => writeWhole(path, text) };
}
