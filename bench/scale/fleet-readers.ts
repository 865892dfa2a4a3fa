import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../test/lab/wait-for.js';
import { usedBySelf, type Fleet, type FleetReport } from './fleet-orders.js';

/** More samples would not change a percentile, but fill the memory. */
const mostSamples = 100_000;

/** Client hosts, whatever they do to follow etcd. */
export interface Readers {
  /** One more begins. */
  start(): void;
  /** All that have begun end. */
  end(): void;
  /** Each has its first catalog. */
  areLive(): boolean;
  /** How many endpoints each has. */
  counts(): readonly number[];
}

/** What client hosts have seen since it was last taken. */
export interface Seen {
  /** @param atMs when it happened to a container, ms since 1970 */
  news(events: number, atMs?: number | null): void;
  failure(): void;
  take(): Required<Pick<FleetReport, 'lagMs' | 'events' | 'failures'>>;
}

export function createSeen(): Seen {
  let [lagMs, events, failures]: [number[], number, number] = [[], 0, 0];
  return {
    news(count, atMs = null) {
      events += count;
      if (atMs !== null && lagMs.length < mostSamples) lagMs.push(Date.now() - atMs);
    },
    failure() {
      failures += 1;
    },
    take() {
      const taken = { lagMs, events, failures };
      [lagMs, events, failures] = [[], 0, 0];
      return taken;
    },
  };
}

/** @param count of those that begin at each start */
export function fleetOf(count: number, readers: Readers, seen: Seen): Fleet {
  const begin = async (withinSeconds: number): Promise<void> => {
    readers.end();
    for (let n = 0; n < count; n += 1) {
      readers.start();
      if (withinSeconds > 0) await sleep((withinSeconds * 1_000) / count);
    }
    await waitFor('all client hosts to have a catalog', () => readers.areLive(), longWait);
  };
  return {
    async obey(order) {
      const startedAt = performance.now();
      let report: FleetReport = {};
      switch (order.do) {
        case 'start':
          await begin(order.withinSeconds);
          break;
        case 'restart':
          await begin(0);
          break;
        case 'await':
          await waitFor(
            `all client hosts to have ${String(order.endpoints)} endpoints`,
            () => readers.counts().every((count) => count === order.endpoints),
            longWait,
          );
          break;
        case 'report':
          report = seen.take();
          break;
        case 'deploy':
        case 'lose':
          throw new RangeError(`client hosts can not ${order.do}`);
      }
      return { ...report, ...usedBySelf(), tookMs: performance.now() - startedAt };
    },
  };
}

const longWait = { timeoutMs: 300_000, intervalMs: 20 };
