import type { ContainerSnapshot } from '../core/container.js';

/** What happened to a container. An event is a hint to look; only the announcement of a stop is told by nothing else. */
export interface ContainerEvent {
  /** 64 hex digits. */
  readonly id: string;
  /** `start`, `die`, `pause`, `health_status`, … */
  readonly action: string;
  /** Number of the signal, for the action `kill`. */
  readonly signal: number | null;
  /** When it happened, ms since 1970 by the engine's clock; null where it does not say. */
  readonly atMs: number | null;
}

/** A container of which the engine tells that it is there, and nothing more. */
export interface SilentContainer {
  readonly id: string;
  /** Why there is no answer. */
  readonly reason: string;
}

export interface ContainerListing {
  readonly containers: readonly ContainerSnapshot[];
  readonly silent: readonly SilentContainer[];
}

/**
 * A Docker engine. Every call has a deadline of its own, rejects on failure with what was tried, and with an AbortError
 * when `signal` fires.
 */
export interface ContainerEngine {
  /** All containers that run or are paused. One that the engine can't look at does not hide the others. */
  list(signal: AbortSignal): Promise<ContainerListing>;
  /** One container, or null where there is none of that id. */
  inspect(id: string, signal: AbortSignal): Promise<ContainerSnapshot | null>;
  /**
   * Follows the event stream until it ends (rejects) or `signal` fires (resolves).
   *
   * @param onOpen called once, when the engine has accepted the subscription: what happens from then on is told
   */
  follow(
    handlers: { onOpen: () => void; onEvent: (event: ContainerEvent) => void },
    signal: AbortSignal,
  ): Promise<void>;
}
