import { setTimeout as sleep } from 'node:timers/promises';
import { eventTimeOf } from '../../src/core/keyspace.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { allHave, usedBySelf, type Fleet, type FleetOptions } from './fleet-orders.js';

const pollMs = 5_000;
/** As in `fleet-clients.ts`. */
const mostSamples = 100_000;

/** Client hosts as the pair of 2014 had them: each asks for everything, again and again. */
export function runPollers({ count, connect }: FleetOptions): Fleet {
  const known: Map<string, number>[] = [];
  let controller = new AbortController();
  let lagMs: number[] = [];
  let events = 0;

  const poll = async (at: number, { signal }: AbortController): Promise<void> => {
    const { registry } = connect();
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const { entries } = await registry.list(signal);
      const before = known[at] ?? new Map<string, number>();
      for (const { key, value, modRevision } of entries) {
        if (isFirst || before.get(key) === modRevision) continue;
        events += 1;
        const atMs = eventTimeOf(value);
        if (atMs !== null && lagMs.length < mostSamples) lagMs.push(Date.now() - atMs);
      }
      known[at] = new Map(entries.map(({ key, modRevision }) => [key, modRevision]));
      // A little apart, as hosts are.
      await sleep(pollMs * (isFirst ? Math.random() : 1), undefined, { signal });
    }
  };

  return {
    async obey(order) {
      const startedAt = performance.now();
      switch (order.do) {
        case 'restart':
        case 'start': {
          controller.abort();
          controller = new AbortController();
          known.length = 0;
          const now = controller;
          for (let n = 0; n < count; n += 1)
            void poll(n, now).catch((error: unknown) => {
              if (!now.signal.aborted) console.error('a client host ended', error);
            });
          await waitFor('all to have listed', () => Object.keys(known).length === count, { timeoutMs: 300_000 });
          break;
        }
        case 'await':
          await allHave(order.endpoints, () => known.map(({ size }) => size));
          break;
        case 'report':
          break;
        case 'deploy':
        case 'lose':
          throw new RangeError(`client hosts can not ${order.do}`);
      }
      const report = { lagMs, events, ...usedBySelf(), tookMs: performance.now() - startedAt };
      if (order.do === 'report') [lagMs, events] = [[], 0];
      return report;
    },
  };
}
