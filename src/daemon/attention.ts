import type { Configuration, ServerLines } from '../core/haproxy/configuration.js';

/** Which listeners a round reads back from HAProxy: those that a change touches, and now and then all. */
export interface Attention {
  /** Somebody may have changed anything: the next round reads everything back. */
  all(): void;
  /** What this round must read back. Until it is `done`, the next one must read everything. */
  take(desired: Configuration): 'all' | readonly string[];
  /**
   * The round went through.
   *
   * @param again listeners that must be read back once more
   */
  done(desired: Configuration, again: Iterable<string>): void;
}

export function createAttention(): Attention {
  let everything = true;
  /** What the last round brought HAProxy to; null where it did not go through. */
  let last: ServerLines | null = null;
  let open: ReadonlySet<string> = new Set();
  return {
    all() {
      everything = true;
    },

    take({ servers }) {
      const before = everything ? null : last;
      everything = false;
      last = null;
      if (before === null) return 'all';
      // A section that says the same has the same object for its servers.
      return [...servers.keys()].filter((name) => before.get(name) !== servers.get(name) || open.has(name));
    },

    done({ servers }, again) {
      last = servers;
      open = new Set(again);
    },
  };
}
