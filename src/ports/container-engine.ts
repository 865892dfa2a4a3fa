import type { ContainerSnapshot } from '../core/container.js';

/** What happened to a container. An event is a hint to look; only the announcement of a stop is told by nothing else. */
export interface ContainerEvent {
  /** 64 hex digits. */
  readonly id: string;
  /** `start`, `die`, `pause`, `health_status`, … */
  readonly action: string;
  /** Number of the signal, for the action `kill`. */
  readonly signal: number | null;
}

/**
 * A Docker engine. Every call has a deadline of its own, rejects on failure with what was tried, and with an AbortError
 * when `signal` fires.
 */
export interface ContainerEngine {
  /** All containers that run or are paused; all or nothing. */
  list(signal: AbortSignal): Promise<ContainerSnapshot[]>;
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
