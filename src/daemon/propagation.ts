import type { CatalogRecord } from '../core/catalog.js';
import type { Model } from '../core/haproxy/model.js';
import { eventTimeOf } from '../core/keyspace.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import type { Meter } from '../ports/meter.js';
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
      const named = new Set(news.map(({ service }) => service));
      const served = new Set(listeners.flatMap(({ service }) => (named.has(service) ? [service] : [])));
      for (const { service, atMs } of news)
        if (served.has(service)) meter.observe(discoverMetrics.propagationSeconds, {}, secondsSince(atMs));
    },
  };
}

/**
 * What a value that was put says of a container's event. One that is put again says nothing new, whatever its time.
 *
 * @param record what it says
 * @param before the value that stood there
 */
export function newsOf(
  value: string,
  { record, before }: { readonly record: CatalogRecord; readonly before: string | undefined },
): News[] {
  const atMs = before === value ? null : eventTimeOf(value);
  if (atMs === null) return [];
  return record.kind === 'endpoint' ? [{ service: record.endpoint.service, atMs }] : [];
}
