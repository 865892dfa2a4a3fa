import type { Meter } from '../../../src/ports/meter.js';

/** A meter that keeps what it was told: counts and observations by `name` or `name{label="value"}`. */
export function recordingMeter(): {
  meter: Meter;
  counts: ReadonlyMap<string, number>;
  observed: ReadonlyMap<string, readonly number[]>;
} {
  const counts = new Map<string, number>();
  const observed = new Map<string, number[]>();
  const meter: Meter = {
    count(metric, labels, by = 1) {
      const series = seriesOf(metric.name, labels);
      counts.set(series, (counts.get(series) ?? 0) + by);
    },
    observe(metric, labels, seconds) {
      const series = seriesOf(metric.name, labels);
      observed.set(series, [...(observed.get(series) ?? []), seconds]);
    },
  };
  return { meter, counts, observed };
}

function seriesOf(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
