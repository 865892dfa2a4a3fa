import type { BindAddress } from '../core/haproxy/bind.js';
import type { Model } from '../core/haproxy/model.js';
import type { Step } from '../core/haproxy/plan.js';
import type { ServerState, ServerStatus } from '../core/haproxy/replies.js';

/** HAProxy does not take a configuration; the last good one stands. The message is HAProxy's own. */
export class ConfigurationRefusedError extends Error {
  override readonly name = 'ConfigurationRefusedError';
  /** @param alerts all of HAProxy's words, of which the message may have the first only */
  constructor(
    message: string,
    readonly alerts: readonly string[] = [message],
  ) {
    super(message);
  }
}

/** HAProxy refuses these listeners, by name, with its words; it would take the configuration without them. */
export class ListenersRefusedError extends Error {
  override readonly name = 'ListenersRefusedError';
  /** @param model of which they were part */
  constructor(
    readonly listeners: ReadonlyMap<string, string>,
    readonly model: Model,
  ) {
    super(`HAProxy refuses ${[...listeners.keys()].join(', ')}`);
  }
}

/** A start or reload failed because HAProxy could not bind these ports. */
export class PortsTakenError extends Error {
  override readonly name = 'PortsTakenError';
  constructor(readonly ports: readonly number[]) {
    super(`ports can't be bound: ${ports.join(', ')}`);
  }
}

/** The runtime API did not take a command. */
export class StepRejectedError extends Error {
  override readonly name = 'StepRejectedError';
}

/** The HAProxy child: one master, its current worker, and the file that they are configured by. */
export interface Proxy {
  /** True while the master runs. */
  isRunning(): boolean;
  /** @param listeners which the running worker has */
  serversState(listeners: 'all' | readonly string[], signal: AbortSignal): Promise<ServerState[]>;
  serverStatus(signal: AbortSignal): Promise<ServerStatus[]>;
  /** @throws where the worker or its master does not answer in a time in which each must */
  answers(signal: AbortSignal): Promise<void>;
  workerPid(signal: AbortSignal): Promise<number | null>;
  /**
   * Applies steps to the running worker.
   *
   * @returns how many servers could not be deleted yet because they have connections
   * @throws StepRejectedError; some of the steps may have been taken
   */
  apply(steps: readonly Step[], signal: AbortSignal): Promise<number>;
  /**
   * The worker has what this text says, and the file comes to say it too: at once, or within a second where it is large and
   * changes often. Resolves when it does, or has become something later; never rejects.
   *
   * @returns why the file could not be written; null where it could
   */
  keep(text: () => string): Promise<string | null>;
  /**
   * Checks `text`, makes it the file, and starts HAProxy or reloads it; resolves when the new worker runs.
   * On any failure the file is the last good one again, and the old worker goes on.
   */
  load(text: string, signal: AbortSignal): Promise<void>;
  /** @throws ConfigurationRefusedError where HAProxy would not take it; touches nothing that runs */
  check(text: string, signal: AbortSignal): Promise<void>;
  /** Those of `addresses` that can't be bound, because another process has them. */
  takenOf(addresses: readonly BindAddress[]): Promise<BindAddress[]>;
  /**
   * Parts with a HAProxy that does not answer: its connections may finish if it can, and its ports are free. `isRunning` is
   * false then, and the next `load` starts another.
   */
  replace(): Promise<void>;
  /** Soft stop: no new connections, then the end when the last is done, or after the deadline. No `load` starts or reloads it any more. */
  stop(): Promise<void>;
}
