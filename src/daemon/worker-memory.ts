import type { Configuration } from '../core/haproxy/configuration.js';
import type { Observed, ObservedServer, Step } from '../core/haproxy/plan.js';
import type { ServerState } from '../core/haproxy/replies.js';

/** What the running worker was told and can't be asked for. */
export interface WorkerMemory {
  /** It started with this configuration. */
  loaded(configuration: Configuration): void;
  /** It took these steps. */
  applied(steps: readonly Step[]): void;
  /** With what it tells itself, all that the plan wants to know. */
  observed(states: readonly ServerState[]): Observed;
  forget(): void;
}

/** @param drainDeadlineMs how long the connections of a server that went may live on */
export function createWorkerMemory(drainDeadlineMs: number): WorkerMemory {
  let configuration: Configuration | null = null;
  let keywords = new Map<string, string>();
  /** When each server was taken out of the pool. */
  let outSince = new Map<string, number>();

  return {
    loaded(next) {
      configuration = next;
      keywords = new Map();
      outSince = new Map();
      for (const [listener, servers] of next.servers) {
        for (const [server, line] of servers) keywords.set(`${listener}/${server}`, line.keywords);
      }
    },

    applied(steps) {
      for (const step of steps) {
        const name = `${step.listener}/${step.server}`;
        if (step.kind === 'add') keywords.set(name, step.line.keywords);
        if (step.kind === 'maint') outSince.set(name, performance.now());
        if (step.kind === 'ready') outSince.delete(name);
      }
    },

    observed(states) {
      const now = performance.now();
      const servers = new Map<string, Map<string, ObservedServer>>();
      for (const { listener, server, address, weight, maint } of states) {
        const name = `${listener}/${server}`;
        const overdue = now - (outSince.get(name) ?? now) > drainDeadlineMs;
        const own = servers.get(listener) ?? new Map<string, ObservedServer>();
        servers.set(listener, own.set(server, { address, weight, maint, overdue, keywords: keywords.get(name) ?? '' }));
      }
      for (const name of [...keywords.keys()]) {
        const [listener = '', server = ''] = name.split('/');
        if (servers.get(listener)?.has(server) === true) continue;
        keywords.delete(name);
        outSince.delete(name);
      }
      return { loaded: configuration, servers };
    },

    forget() {
      configuration = null;
    },
  };
}
