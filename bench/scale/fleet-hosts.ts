import { unsealed } from '../../src/core/signature.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultRegistrationLimits } from '../../src/core/registration-limits.js';
import { createRegister, type Register } from '../../src/daemon/register.js';
import type { HeldEntry, Registry } from '../../src/ports/registry.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { listByWire, wiresOf } from './etcd-listing.js';
import { entryOf } from './etcd-wire.js';
import { createFleetEngine, type FleetEngine } from './fleet-engine.js';
import { containersPerHost, usedBySelf, type Fleet, type FleetOptions } from './fleet-orders.js';
import { silent } from './silent.js';

interface BackEndHost {
  readonly engine: FleetEngine;
  readonly register: Register;
  readonly controller: AbortController;
  ended: Promise<void>;
}

/** Back-end hosts: docker-register's own loops, each with its lease. */
export function runHosts({ count, first, urls, connect }: FleetOptions): Fleet {
  const hosts: BackEndHost[] = [];
  let next = 0;

  const start = (number: number): void => {
    const engine = createFleetEngine(number, containersPerHost);
    const controller = new AbortController();
    const hostIp = `198.18.${String(number >> 8)}.${String(number & 255)}`;
    const register = createRegister({
      engine: engine.engine,
      registry: listingLightly(connect().registry, urls, hostIp),
      prefix: '/backends',
      policy: {
        hostIp,
        internal: null,
        naming: { kind: 'image' },
        zone: null,
        onlyLabel: null,
        limits: defaultRegistrationLimits,
      },
      ttlMs: 15_000,
      resyncMs: 60_000,
      quiet: { leastMs: 5, mostMs: 100 },
      seal: unsealed,
      changeRate: 0,
      withdrawOnExit: false,
      ...silent,
    });
    hosts.push({ engine, register, controller, ended: register.run(controller.signal) });
  };

  return {
    async obey(order) {
      const startedAt = performance.now();
      switch (order.do) {
        case 'start':
          for (let n = 0; n < count; n += 1) {
            start(first + n);
            if (order.withinSeconds > 0) await sleep((order.withinSeconds * 1_000) / count);
          }
          await waitFor('all hosts to be registered', () => hosts.every(({ register }) => register.status().ready), {
            timeoutMs: 300_000,
            intervalMs: 20,
          });
          break;
        case 'deploy': {
          for (let n = 0; n < order.containers;) {
            const due = Math.ceil(((performance.now() - startedAt) / 1_000) * order.perSecond);
            for (; n < Math.min(due, order.containers); n += 1) {
              hosts[next % hosts.length]?.engine.replaceOne();
              next += 1;
            }
            await sleep(10);
          }
          break;
        }
        case 'lose':
          for (const { controller } of hosts.splice(0, Math.round(count * order.share))) controller.abort();
          break;
        case 'report':
          break;
        case 'restart':
        case 'await':
          throw new RangeError(`back-end hosts can not ${order.do}`);
      }
      return { hosts: hosts.length, ...usedBySelf(), tookMs: performance.now() - startedAt };
    },
  };
}

/**
 * Of a listing, docker-register keeps the keys of its host. To read all of them for each of a hundred hosts keeps a process busy with
 * what on hosts of their own takes a fraction of that: the others are left unread, and stand for one another.
 */
function listingLightly(registry: Registry, urls: readonly string[], hostIp: string): Registry {
  const own = Buffer.from(`${hostIp}:`);
  return {
    ...registry,
    async list(signal) {
      const wires = wiresOf(urls);
      try {
        const { revision, entries } = await listByWire(wires, signal);
        return { revision, entries: entries.map((entry) => (entry.includes(own) ? heldOf(entry) : another)) };
      } finally {
        for (const wire of wires) wire.close();
      }
    },
  };
}

const another: HeldEntry = {
  key: '/backends/another/ffffffffffff',
  value: '198.19.255.255:8000',
  createRevision: 1,
  modRevision: 1,
  lease: '1',
};

function heldOf(bytes: Buffer): HeldEntry {
  const { key, value, lease } = entryOf(bytes);
  return { key, value: value.toString(), createRevision: 1, modRevision: 1, lease };
}
