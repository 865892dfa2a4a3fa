import type { RecentChange } from '../core/status-parts.js';

/** What a person looks back at; what was before stands in the log. */
const kept = 50;

export interface RecentChanges {
  /** @returns the time of now, ISO 8601 */
  note(kind: RecentChange['kind'], what: string): string;
  /** The newest first. */
  list(): readonly RecentChange[];
}

export function createRecentChanges(): RecentChanges {
  let changes: readonly RecentChange[] = [];
  return {
    note(kind, what) {
      const at = new Date().toISOString();
      changes = [{ kind, what, at }, ...changes.slice(0, kept - 1)];
      return at;
    },

    list: () => changes,
  };
}
