import type { Configuration, ServerLines } from '../core/haproxy/configuration.js';

/** What a round is about. */
export interface Scope {
  /** Listeners that HAProxy is asked about: what is believed of them is in doubt. */
  readonly asked: 'all' | readonly string[];
  /** Listeners that are planned for: those, and those that a change touches. */
  readonly planned: readonly string[];
}

/** Which listeners a round looks at: those that a change touches, and now and then all. */
export interface Attention {
  /** Somebody may have changed anything: the next round asks HAProxy about everything. */
  all(): void;
  /** What this round is about. Until it is `done`, the next one is about everything. */
  take(desired: Configuration): Scope;
  /**
   * The round went through.
   *
   * @param doubtful listeners that the next round must ask HAProxy about
   */
  done(desired: Configuration, doubtful: Iterable<string>): void;
}

export function createAttention(): Attention {
  let everything = true;
  /** What the last round brought HAProxy to; null where it did not go through. */
  let last: ServerLines | null = null;
  let doubted: ReadonlySet<string> = new Set();
  return {
    all() {
      everything = true;
    },

    take({ servers }) {
      const before = everything ? null : last;
      everything = false;
      last = null;
      if (before === null) return { asked: 'all', planned: [...servers.keys()] };
      const asked = [...doubted].filter((name) => servers.has(name));
      // A section that says the same has the same object for its servers.
      const planned = new Set(asked);
      servers.forEach((own, name) => {
        if (before.get(name) !== own) planned.add(name);
      });
      return { asked, planned: [...planned] };
    },

    done({ servers }, doubtful) {
      last = servers;
      doubted = new Set(doubtful);
    },
  };
}
