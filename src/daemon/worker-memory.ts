import { formatAddress } from '../core/address.js';
import type { Configuration, ServerLine } from '../core/haproxy/configuration.js';
import type { Observed, ObservedServer, Step } from '../core/haproxy/plan.js';
import type { ServerState } from '../core/haproxy/replies.js';

/**
 * The servers of the running worker, as it was told and as it told of them. A round plans from here, so that a change is one
 * command and no question; what somebody did by hand is seen when the worker is asked.
 */
export interface WorkerMemory {
  /** A worker started with this configuration. What was told to the one before it meanwhile, it may have been told too. */
  loaded(configuration: Configuration): void;
  /**
   * It took these steps.
   *
   * @param mayStand some of the servers that were to be deleted are still there
   */
  applied(steps: readonly Step[], mayStand: boolean): void;
  /** It told this of all servers of `listeners`. */
  told(listeners: readonly string[], states: readonly ServerState[]): void;
  /** Those of these listeners that it has. */
  knownOf(listeners: Iterable<string>): string[];
  /** All that the plan wants to know of these listeners. */
  observed(listeners: readonly string[]): Observed;
  forget(): void;
}

type Server = Omit<ObservedServer, 'overdue'> & {
  /** When it was taken out of the pool; null while it is in. */
  readonly outSince: number | null;
};

function inPool({ address, weight, keywords }: ServerLine): Server {
  return { address, weight, maint: false, drain: false, keywords, outSince: null };
}

/** @param drainDeadlineMs how long the connections of a server that went may live on */
export function createWorkerMemory(drainDeadlineMs: number): WorkerMemory {
  let configuration: Configuration | null = null;
  /** By listener and name. */
  let servers = new Map<string, Map<string, Server>>();

  const take = (own: Map<string, Server>, step: Step, mayStand: boolean): void => {
    if (step.kind === 'add') own.set(step.server, inPool(step.line));
    const there = own.get(step.server);
    if (there === undefined) return;
    switch (step.kind) {
      case 'move':
        own.set(step.server, { ...there, address: formatAddress(step) });
        return;
      case 'weight':
        own.set(step.server, { ...there, weight: step.weight });
        return;
      case 'ready':
        own.set(step.server, { ...there, maint: false, drain: false, outSince: null });
        return;
      case 'maint':
        own.set(step.server, { ...there, maint: true, outSince: performance.now() });
        return;
      case 'delete':
        if (!mayStand) own.delete(step.server);
        return;
      case 'add':
      case 'shutdown sessions':
        return;
    }
  };

  return {
    loaded(next) {
      configuration = next;
      servers = new Map(
        [...next.servers].map(([listener, lines]) => [
          listener,
          new Map([
            ...(servers.get(listener) ?? []),
            ...[...lines].map(([server, line]) => [server, inPool(line)] as const),
          ]),
        ]),
      );
    },

    applied(steps, mayStand) {
      for (const step of steps) {
        const own = servers.get(step.listener);
        if (own !== undefined) take(own, step, mayStand);
      }
    },

    told(listeners, states) {
      const believed = new Map(listeners.map((listener) => [listener, servers.get(listener)]));
      for (const listener of listeners) servers.set(listener, new Map());
      for (const { listener, server, address, weight, maint, drain } of states) {
        // One that somebody added by hand has no keywords that we know of, and is never what is wanted.
        const { keywords = '', outSince = null } = believed.get(listener)?.get(server) ?? {};
        const since = maint ? (outSince ?? performance.now()) : null;
        servers.get(listener)?.set(server, { address, weight, maint, drain, keywords, outSince: since });
      }
    },

    knownOf: (listeners) => [...listeners].filter((listener) => servers.has(listener)),

    observed(listeners) {
      const now = performance.now();
      const asObserved = ({ address, weight, maint, drain, keywords, outSince }: Server): ObservedServer => {
        const overdue = outSince !== null && now - outSince > drainDeadlineMs;
        return { address, weight, maint, drain, keywords, overdue };
      };
      return {
        loaded: configuration,
        servers: new Map(
          listeners.map((listener) => [
            listener,
            new Map([...(servers.get(listener) ?? [])].map(([name, server]) => [name, asObserved(server)])),
          ]),
        ),
      };
    },

    forget() {
      configuration = null;
      servers = new Map();
    },
  };
}
