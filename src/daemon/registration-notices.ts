import type { Diff } from '../core/diff.js';
import { eventTimeOf } from '../core/keyspace.js';
import { registerMetrics } from '../core/metrics/register.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import { secondsSince } from './clock.js';
import type { KeySource } from './contributions.js';

export interface Told {
  readonly diff: Diff;
  /** Why, for the log. */
  readonly reasons: readonly string[];
  /** By key: whose it is now. */
  readonly sources: ReadonlyMap<string, KeySource>;
  /** Keys that may be another's than before. */
  readonly among: Iterable<string>;
}

/** Tells of what was registered and deregistered, and counts it. */
export function createRegistrationNotices(log: Logger, meter: Meter): (told: Told) => void {
  /** Name of the container by key; what is deregistered has no source any more. */
  const containers = new Map<string, string>();
  return ({ diff: { puts, deletes }, reasons, sources, among }) => {
    for (const { key, value } of puts) {
      const { container, drains } = sources.get(key) ?? {};
      log.info({ container, key, value, reasons }, drains === true ? 'draining' : 'registered');
      const atMs = eventTimeOf(value);
      if (atMs !== null) meter.observe(registerMetrics.registrationSeconds, {}, secondsSince(atMs));
    }
    for (const key of deletes) log.info({ container: containers.get(key), key, reasons }, 'deregistered');
    if (puts.length > 0) meter.count(registerMetrics.changes, { change: 'put' }, puts.length);
    if (deletes.length > 0) meter.count(registerMetrics.changes, { change: 'delete' }, deletes.length);
    for (const key of among) {
      const source = sources.get(key);
      if (source === undefined) containers.delete(key);
      else containers.set(key, source.container);
    }
  };
}
