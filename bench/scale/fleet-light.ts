import { rangeOf } from '../../src/adapters/etcd/registry.js';
import { eventTimeOf } from '../../src/core/keyspace.js';
import { askOfLeases } from '../../src/daemon/lease-questions.js';
import { createListingTurn, type ListingTurn } from '../../src/daemon/listing-turn.js';
import { every, runTasks } from '../../src/daemon/lifecycle.js';
import { createPatientPoll } from '../../src/daemon/patient-poll.js';
import { createResumption, type Resumption } from '../../src/daemon/resumption.js';
import { retry } from '../../src/daemon/retry.js';
import type { Registry } from '../../src/ports/registry.js';
import { entryOf, eventOf, type WatchResponse, type Wire } from './etcd-wire.js';
import { listByWire, wiresOf } from './etcd-listing.js';
import { holdClientHost } from './fleet-client-host.js';
import { containersPerHost, type Fleet, type FleetOptions } from './fleet-orders.js';
import { createSeen, fleetOf } from './fleet-readers.js';
import { silent } from './silent.js';

const range = rangeOf('/backends/');
const pollMs = 5_000;
/** As `catalog-session.ts` has it. */
const mostRests = 10;
/** One lag of so many is kept. */
const sampled = 20;

interface LightClient {
  /** Keys that stand, and the revision up to which the watch has told. */
  standing: number;
  revision: number;
  isLive: boolean;
  /** Each is followed by another member. */
  failures: number;
  readonly resumption: Resumption;
  /** Leases that have taken all their keys along, and about which etcd has not told yet. */
  readonly expired: Set<string>;
  readonly controller: AbortController;
}

/** The registry for what is small; the wires, one for each member, for what is to be left unread. */
interface Asked {
  readonly registry: Registry;
  readonly wires: readonly Wire[];
  readonly turn: ListingTurn;
}

/**
 * Client hosts that ask etcd what docker-discover asks (a listing, the watch, polls, leases of keys that went, the count of client
 * hosts, keep-alives), each by a connection of its own, and keep no more than the number of keys.
 */
export function runLight({
  count,
  urls,
  connect,
  waitsForTurn,
}: FleetOptions & { readonly waitsForTurn: boolean }): Fleet {
  const clients: LightClient[] = [];
  /** Of each key, and how many of each; the same for all, so kept once. */
  const leases = new Map<string, string>();
  const seen = createSeen();

  /** How many keys the last known good state has, which docker-discover keeps on disk. */
  let lastStanding = 0;

  const list = async (wires: readonly Wire[], signal: AbortSignal): Promise<{ revision: number; keys: number }> => {
    const isFirst = leases.size === 0;
    const { revision, entries } = await listByWire(wires, signal);
    if (isFirst) for (const entry of entries.map(entryOf)) leases.set(entry.key, entry.lease);
    return { revision, keys: entries.length };
  };

  const onEvents = (one: LightClient, { events }: WatchResponse): void => {
    seen.news(events.length);
    const gone = new Map<string, number>();
    for (const event of events) {
      const { kind, entry } = eventOf(event);
      one.revision = Math.max(one.revision, entry.modRevision);
      if (kind === 'delete') {
        one.standing -= 1;
        const lease = leases.get(entry.key) ?? '0';
        gone.set(lease, (gone.get(lease) ?? 0) + 1);
        continue;
      }
      if (entry.isNew) one.standing += 1;
      leases.set(entry.key, entry.lease);
      if (Math.random() * sampled < 1) seen.news(0, eventTimeOf(entry.value.toString()));
    }
    // One that ends takes all its keys along.
    for (const [lease, keysOf] of gone) if (keysOf > containersPerHost / 2) one.expired.add(lease);
  };

  const session = async (one: LightClient, { registry, wires, turn }: Asked, healthy: () => void): Promise<void> => {
    const { signal } = one.controller;
    const isResumed = one.resumption.isAllowed(one.standing) && (await registry.revision(signal)) >= one.revision;
    if (!isResumed) {
      if (waitsForTurn) await turn.wait(one.standing === 0 ? lastStanding : one.standing, signal);
      ({ revision: one.revision, keys: one.standing } = await list(wires, signal));
    }
    one.resumption.began(isResumed ? 'resumed' : 'listed');
    one.isLive = true;
    healthy();
    const known = { agrees: () => true, revision: () => one.revision, standing: () => one.standing };
    const poll = createPatientPoll({ registry, known, log: silent.log });
    const watched = { key: range.key, rangeEnd: range.range_end, startRevision: one.revision + 1 };
    await runTasks(
      [
        (both) =>
          (wires[one.failures % wires.length] as Wire).watch(
            watched,
            (response) => {
              if (!response.isAsked && !response.created) onEvents(one, response);
            },
            both,
          ),
        (both) => every(pollMs, () => poll(both), both),
        (both) =>
          every(
            1_000,
            async () => {
              const { lives } = await askOfLeases(
                one.expired,
                { registry, revision: one.revision, isHeld: () => false },
                both,
              );
              for (const lease of lives.keys()) one.expired.delete(lease);
            },
            both,
          ),
      ],
      signal,
    );
  };

  const run = async (one: LightClient, asked: Asked): Promise<void> => {
    const { signal } = one.controller;
    const attempt = async (healthy: () => void): Promise<void> => {
      try {
        await session(one, asked, healthy);
      } catch (error) {
        one.resumption.ended(error);
        throw error;
      } finally {
        one.isLive = false;
        one.failures += 1;
        if (!signal.aborted) seen.failure();
      }
    };
    await retry(attempt, { what: 'following etcd', log: silent.log, signal });
  };

  const start = (): void => {
    const one: LightClient = {
      standing: 0,
      revision: 0,
      isLive: false,
      failures: 0,
      resumption: createResumption(),
      expired: new Set(),
      controller: new AbortController(),
    };
    clients.push(one);
    const connected = connect();
    const wires = wiresOf(urls);
    const following = run(one, {
      registry: connected.registry,
      wires,
      turn: createListingTurn({ registry: connected.registry, mostRests }),
    }).catch((error: unknown) => {
      if (!one.controller.signal.aborted) console.error('a client host ended', error);
    });
    void Promise.all([following, holdClientHost(connected, one.controller.signal)]).finally(() => {
      for (const wire of wires) wire.close();
      connected.close();
    });
  };

  const readers = {
    start,
    end() {
      lastStanding = clients[0]?.standing ?? 0;
      for (const { controller } of clients.splice(0)) controller.abort();
    },
    areLive: () => clients.every(({ isLive }) => isLive),
    counts: () => clients.map(({ standing }) => standing),
  };
  return fleetOf(count, readers, seen);
}
