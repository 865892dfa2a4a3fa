import type { Registry } from '../../src/ports/registry.js';

/** Hosts that register, client hosts that watch, such that keep no catalog, such that wait for no turn either, and such that poll. */
export type FleetRole = 'hosts' | 'clients' | 'light' | 'hasty' | 'pollers';

export const containersPerHost = 20;

/** What the parent tells a worker of the fleet. */
export type FleetOrder =
  /** Start all, spread over so many seconds; answered when each has done its first work. */
  | { readonly do: 'start'; readonly withinSeconds: number }
  /** Hosts: replace so many containers, the oldest of one host after the other. */
  | { readonly do: 'deploy'; readonly containers: number; readonly perSecond: number }
  /** Hosts: a share of them falls silent, without a word. */
  | { readonly do: 'lose'; readonly share: number }
  /** Clients: all of them begin anew at once; answered when each has its catalog. */
  | { readonly do: 'restart' }
  /** Clients: answered when each has so many endpoints. */
  | { readonly do: 'await'; readonly endpoints: number }
  /** What was seen since the last such question. */
  | { readonly do: 'report' };

export interface FleetReport {
  /** Clients: ms from the event of a container to the catalog of a client host, of at most 100,000 news. */
  readonly lagMs?: readonly number[];
  /** Clients: events of the watch that all of them together took. */
  readonly events?: number;
  /** Clients: watches that broke, and listings that failed. */
  readonly failures?: number;
  /** Hosts: how many there are. */
  readonly hosts?: number;
  /** CPU time of the worker so far, ms. */
  readonly cpuMs?: number;
  readonly mib?: number;
  /** How long what was ordered took, ms. */
  readonly tookMs?: number;
}

export interface FleetOptions {
  readonly count: number;
  /** Number of the first. */
  readonly first: number;
  /** Of etcd's members, or the proxy. */
  readonly urls: readonly string[];
  /** A client of etcd of its own for each. */
  readonly connect: () => Connected;
}

export interface Connected {
  /** Of the registrations. */
  readonly registry: Registry;
  /** Of the keys of client hosts. */
  readonly clientHosts: Registry;
  readonly close: () => void;
}

export interface Fleet {
  obey(order: FleetOrder): Promise<FleetReport>;
}

export function usedBySelf(): Pick<FleetReport, 'cpuMs' | 'mib'> {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1_000, mib: process.memoryUsage().rss / 2 ** 20 };
}
