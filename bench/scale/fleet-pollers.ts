import { setTimeout as sleep } from 'node:timers/promises';
import { eventTimeOf } from '../../src/core/keyspace.js';
import type { Fleet, FleetOptions } from './fleet-orders.js';
import { createSeen, fleetOf } from './fleet-readers.js';

const pollMs = 5_000;

interface Poller {
  /** Null before its first listing. */
  known: ReadonlyMap<string, number> | null;
}

/** Client hosts as the pair of 2014 had them: each asks for everything, again and again. */
export function runPollers({ count, connect }: FleetOptions): Fleet {
  const pollers: Poller[] = [];
  let controller = new AbortController();
  const seen = createSeen();

  const poll = async (one: Poller, signal: AbortSignal): Promise<void> => {
    const { registry } = connect();
    while (!signal.aborted) {
      const { entries } = await registry.list(signal);
      const isFirst = one.known === null;
      for (const { key, value, modRevision } of entries)
        if (!isFirst && one.known?.get(key) !== modRevision) seen.news(1, eventTimeOf(value));
      one.known = new Map(entries.map(({ key, modRevision }) => [key, modRevision]));
      // A little apart, as hosts are.
      await sleep(pollMs * (isFirst ? Math.random() : 1), undefined, { signal });
    }
  };

  const readers = {
    start() {
      const [one, { signal }]: [Poller, AbortController] = [{ known: null }, controller];
      pollers.push(one);
      void poll(one, signal).catch((error: unknown) => {
        if (!signal.aborted) console.error('a client host ended', error);
      });
    },
    end() {
      controller.abort();
      controller = new AbortController();
      pollers.length = 0;
    },
    areLive: () => pollers.every(({ known }) => known !== null),
    counts: () => pollers.map(({ known }) => known?.size ?? 0),
  };
  return fleetOf(count, readers, seen);
}
