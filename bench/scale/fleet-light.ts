import { rangeOf } from '../../src/adapters/etcd/registry.js';
import { eventTimeOf } from '../../src/core/keyspace.js';
import { every, runTasks } from '../../src/daemon/lifecycle.js';
import { createPoll } from '../../src/daemon/poll.js';
import { retry } from '../../src/daemon/retry.js';
import { entryOf, eventOf, type Wire } from './etcd-wire.js';
import { listByWire, wiresOf } from './etcd-listing.js';
import { holdClientHost } from './fleet-client-host.js';
import { containersPerHost, type Fleet, type FleetOptions } from './fleet-orders.js';
import { createSeen, fleetOf } from './fleet-readers.js';
import { silent } from './silent.js';

const range = rangeOf('/backends/');
const pollMs = 5_000;
/** One lag of so many is kept. */
const sampled = 20;

interface LightClient {
  standing: number;
  isLive: boolean;
  readonly controller: AbortController;
}

/**
 * Client hosts that ask etcd what docker-discover asks (a listing, the watch, polls, leases of keys that went, the count of client
 * hosts, keep-alives), each by a connection of its own, and keep no more than the number of keys.
 */
export function runLight({ count, urls, connect }: FleetOptions): Fleet {
  const clients: LightClient[] = [];
  /** Of each key, and how many of each; the same for all, so kept once. */
  const leases = new Map<string, string>();
  const seen = createSeen();

  const list = async (wires: readonly Wire[], signal: AbortSignal): Promise<{ revision: number; keys: number }> => {
    const isFirst = leases.size === 0;
    const { revision, entries } = await listByWire(wires, signal);
    if (isFirst) for (const entry of entries.map(entryOf)) leases.set(entry.key, entry.lease);
    return { revision, keys: entries.length };
  };

  const run = async (one: LightClient, wires: readonly Wire[]): Promise<void> => {
    const { signal } = one.controller;
    const { registry, close } = connect();
    try {
      await retry(
        async (healthy) => {
          try {
            const { revision: listed, keys } = await list(wires, signal);
            one.standing = keys;
            let revision = listed;
            one.isLive = true;
            healthy();
            const poll = createPoll({
              registry,
              known: { agrees: () => true, revision: () => revision, standing: () => one.standing },
            });
            const expired = new Set<string>();
            await runTasks(
              [
                (both) =>
                  (wires[0] as Wire).watch(
                    { key: range.key, rangeEnd: range.range_end, startRevision: listed + 1 },
                    (response) => {
                      if (response.isAsked || response.created) return;
                      ({ revision } = response);
                      seen.news(response.events.length);
                      const gone = new Map<string, number>();
                      for (const event of response.events) {
                        const { kind, entry } = eventOf(event);
                        if (kind === 'delete') {
                          one.standing -= 1;
                          const lease = leases.get(entry.key) ?? '0';
                          gone.set(lease, (gone.get(lease) ?? 0) + 1);
                          continue;
                        }
                        if (entry.isNew) one.standing += 1;
                        leases.set(entry.key, entry.lease);
                        if (Math.random() * sampled >= 1) continue;
                        seen.news(0, eventTimeOf(entry.value.toString()));
                      }
                      // One that ends takes all its keys along.
                      for (const [lease, keysOf] of gone) if (keysOf > containersPerHost / 2) expired.add(lease);
                    },
                    both,
                  ),
                (both) => every(pollMs, () => poll(both), both),
                (both) =>
                  every(
                    100,
                    async () => {
                      const asked = [...expired];
                      expired.clear();
                      for (const lease of asked) await registry.leaseTime(lease, both);
                    },
                    both,
                  ),
              ],
              signal,
            );
          } finally {
            one.isLive = false;
            if (!signal.aborted) seen.failure();
          }
        },
        { what: 'following etcd', log: silent.log, signal },
      );
    } finally {
      for (const wire of wires) wire.close();
      close();
    }
  };

  const start = (): void => {
    const one: LightClient = { standing: 0, isLive: false, controller: new AbortController() };
    clients.push(one);
    void run(one, wiresOf(urls)).catch((error: unknown) => {
      if (!one.controller.signal.aborted) console.error('a client host ended', error);
    });
    void holdClientHost(connect(), one.controller.signal);
  };

  const readers = {
    start,
    end() {
      for (const { controller } of clients.splice(0)) controller.abort();
    },
    areLive: () => clients.every(({ isLive }) => isLive),
    counts: () => clients.map(({ standing }) => standing),
  };
  return fleetOf(count, readers, seen);
}
