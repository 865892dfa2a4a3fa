import type { DiscoverStatus } from '../core/discover-status.js';
import type { ServerStatus } from '../core/haproxy/replies.js';
import type { Proxy } from '../ports/proxy.js';
import type { BuiltModel } from './model-builder.js';
import type { Last } from './quarantine.js';

/**
 * How a round ended.
 *
 * - `settled`: all is as it should be.
 * - `changed`: HAProxy was started or reloaded, and is to be looked at.
 * - `waitMs`: something is due in so many milliseconds.
 * - `reloading`: a reload goes on; look again when it has ended. Never rejects.
 */
export type Outcome = 'settled' | 'changed' | { readonly waitMs: number } | { readonly reloading: Promise<void> };

/** What brings a model about: our HAProxy, or a file and a command for somebody else's proxy. */
export interface Hands extends Pick<Proxy, 'takenOf'> {
  /** It is told also of a catalog that nobody has read yet: an empty one is better than none. */
  readonly startsEmpty: boolean;
  /** It runs; false while it has yet to be started. */
  isRunning(): boolean;
  /**
   * One round: observe, plan, act.
   *
   * @throws PortsTakenError, ListenersRefusedError; the model must be built without these
   */
  bring(built: BuiltModel, signal: AbortSignal): Promise<Outcome>;
  /** The next round reads the templates anew. */
  demandReload(reason: string): void;
  /** The next round looks at everything, in case somebody changed it by hand. */
  lookAtAll(): void;
  /** Ports that are ours, and need no look. */
  loadedPorts(): ReadonlySet<number>;
  /** What was taken last. */
  last(): Last;
  /** What was last desired is not what is. */
  isBehind(): boolean;
  /** Why the desired configuration, or the user's template, is not the one that holds; null where they are. */
  fault(): string | null;
  /** How it is, and what it says of the servers: null where it says nothing. */
  status(signal: AbortSignal): Promise<HandsStatus>;
  /** What it does beside the rounds, until `signal` fires. */
  run(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export type HandsStatus = Pick<DiscoverStatus, 'haproxy' | 'output' | 'changes'> & {
  readonly servers: readonly ServerStatus[] | null;
};
