import type { Configuration } from '../core/haproxy/configuration.js';
import type { Observed, ObservedServer, Step } from '../core/haproxy/plan.js';
import type { ServerState } from '../core/haproxy/replies.js';

/** What the running worker was told and can't be asked for. */
export interface WorkerMemory {
  /** A worker started with this configuration. What was told to the one before it meanwhile, it may have been told too. */
  loaded(configuration: Configuration): void;
  /** It took these steps. */
  applied(steps: readonly Step[]): void;
  /** Those of these listeners that it has. */
  knownOf(listeners: Iterable<string>): string[];
  /**
   * With what it tells itself, all that the plan wants to know.
   *
   * @param states all servers of `listeners`
   */
  observed(listeners: readonly string[], states: readonly ServerState[]): Observed;
  forget(): void;
}

interface Told {
  readonly keywords: string;
  /** When it was taken out of the pool; null while it is in. */
  readonly outSince: number | null;
}

/** @param drainDeadlineMs how long the connections of a server that went may live on */
export function createWorkerMemory(drainDeadlineMs: number): WorkerMemory {
  let configuration: Configuration | null = null;
  /** By listener and server. */
  let told = new Map<string, Map<string, Told>>();

  return {
    loaded(next) {
      configuration = next;
      told = new Map(
        [...next.servers].map(([listener, lines]) => [
          listener,
          new Map([
            ...(told.get(listener) ?? []),
            ...[...lines].map(([server, { keywords }]) => [server, { keywords, outSince: null }] as const),
          ]),
        ]),
      );
    },

    applied(steps) {
      for (const step of steps) {
        const own = told.get(step.listener) ?? new Map<string, Told>();
        told.set(step.listener, own);
        const keywords = own.get(step.server)?.keywords ?? '';
        if (step.kind === 'add') own.set(step.server, { keywords: step.line.keywords, outSince: null });
        if (step.kind === 'maint') own.set(step.server, { keywords, outSince: performance.now() });
        if (step.kind === 'ready') own.set(step.server, { keywords, outSince: null });
      }
    },

    knownOf: (listeners) => [...listeners].filter((listener) => told.has(listener)),

    observed(listeners, states) {
      const now = performance.now();
      const servers = new Map(listeners.map((listener) => [listener, new Map<string, ObservedServer>()]));
      for (const { listener, server, address, weight, maint } of states) {
        const { keywords = '', outSince = null } = told.get(listener)?.get(server) ?? {};
        const overdue = outSince !== null && now - outSince > drainDeadlineMs;
        servers.get(listener)?.set(server, { address, weight, maint, overdue, keywords });
      }
      for (const [listener, there] of servers) {
        const own = told.get(listener);
        for (const server of own?.keys() ?? []) if (!there.has(server)) own?.delete(server);
      }
      return { loaded: configuration, servers };
    },

    forget() {
      configuration = null;
      told = new Map();
    },
  };
}
