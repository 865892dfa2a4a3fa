import { messageOf } from '../core/errors.js';
import type { ContainerEngine, ContainerEvent } from '../ports/container-engine.js';
import type { Logger } from '../ports/log.js';
import { retry } from './retry.js';

export interface EventFollower {
  /** Follows the events until `signal` fires. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Opens another stream and closes the one before, so that nothing falls between. Resolves when it is open, or has failed.
   * A stream that was cut without a word looks like one of an engine on which nothing happens.
   */
  renew(): Promise<void>;
}

export interface FollowerOptions {
  readonly engine: ContainerEngine;
  /** A stream is open after there was none: events may have been missed. */
  readonly onOpen: () => void;
  readonly onEvent: (event: ContainerEvent) => void;
  readonly log: Logger;
}

export function createEventFollower({ engine, onOpen, onEvent, log }: FollowerOptions): EventFollower {
  let renew = (): Promise<void> => Promise.resolve();

  const follow = (healthy: () => void, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      let current: AbortController | null = null;
      const open = (): Promise<void> =>
        new Promise((opened) => {
          const stream = new AbortController();
          const close = (): void => {
            stream.abort();
          };
          signal.addEventListener('abort', close, { once: true });
          if (signal.aborted) close();
          const handlers = {
            onEvent,
            onOpen: () => {
              healthy();
              if (current === null) onOpen();
              current?.abort();
              current = stream;
              opened();
            },
          };
          const ended = (): void => {
            signal.removeEventListener('abort', close);
            opened();
          };
          engine.follow(handlers, stream.signal).then(
            () => {
              ended();
              if (signal.aborted) resolve();
            },
            (error: unknown) => {
              ended();
              if (stream.signal.aborted && !signal.aborted) return;
              renew = () => Promise.resolve();
              current?.abort();
              reject(error instanceof Error ? error : new Error(messageOf(error)));
            },
          );
        });
      renew = open;
      void open();
    });

  return {
    run: (signal) => retry((healthy) => follow(healthy, signal), { what: 'following Docker events', log, signal }),
    renew: () => renew(),
  };
}
