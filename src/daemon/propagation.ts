import { recordOf } from '../core/catalog.js';
import type { Model } from '../core/haproxy/model.js';
import { eventTimeOf } from '../core/keyspace.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Meter } from '../ports/meter.js';
import type { WatchEvent } from '../ports/registry.js';
import { secondsSince } from './clock.js';

/** A registration that the watch has just told, and when what led to it happened, ms since 1970. */
export interface News {
  readonly service: string;
  readonly atMs: number;
}

/** Measures how long it takes from the event of a container to the pool of this host. */
export interface Propagation {
  heard(news: readonly News[]): void;
  /** What has been heard so far; a round takes it on. */
  pending(): readonly News[];
  /** All of these are in the pool now, as far as this host serves them. */
  arrived(news: readonly News[], model: Model): void;
}

/** What waits for a reload that fails for hours is not kept for ever. */
const most = 10_000;

export function createPropagation(meter: Meter): Propagation {
  let waiting: readonly News[] = [];
  return {
    heard(news) {
      if (news.length > 0) waiting = [...waiting, ...news].slice(-most);
    },

    pending: () => waiting,

    arrived(news, { listeners }) {
      if (news.length === 0) return;
      const taken = new Set(news);
      waiting = waiting.filter((one) => !taken.has(one));
      const served = new Set(listeners.map(({ service }) => service));
      for (const { service, atMs } of news)
        if (served.has(service)) meter.observe(discoverMetrics.propagationSeconds, {}, secondsSince(atMs));
    },
  };
}

/**
 * What an event of the watch says of a container's event. A value that is put again says nothing new, whatever its time.
 *
 * @param before the value under a key, as it is known
 */
export function newsOf(prefix: string, event: WatchEvent, before: (key: string) => string | undefined): News[] {
  if (event.kind === 'delete' || before(event.entry.key) === event.entry.value) return [];
  const atMs = eventTimeOf(event.entry.value);
  if (atMs === null) return [];
  const record = recordOf(prefix, event.entry);
  return record.kind === 'endpoint' ? [{ service: record.endpoint.service, atMs }] : [];
}
