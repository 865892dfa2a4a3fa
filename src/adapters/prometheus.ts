import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric, MetricKind } from '../core/metrics/metric.js';
import type { Meter } from '../ports/meter.js';

/** A gauge that is looked up when somebody asks: one number, none, or one for each value of its label. */
export interface Reading {
  readonly metric: Metric<'gauge'>;
  readonly read: () => number | null | ReadonlyMap<string, number>;
}

/** A meter whose metrics can be read in Prometheus' text format. */
export interface PrometheusMeter extends Meter {
  show(readings: readonly Reading[]): void;
  /** Sets a gauge of which only the labels matter. */
  tell<L extends string>(metric: Metric<'gauge', L>, labels: Readonly<Record<L, string>>): void;
  text(): Promise<{ readonly type: string; readonly body: string }>;
}

/** @param metrics all that may be counted or observed; a counter starts at 0, for each value of its label that is known */
export function createPrometheusMeter(metrics: readonly Metric[]): PrometheusMeter {
  const registry = new Registry();
  // Of the process: memory, CPU, open files, and of Node: heap, event loop, garbage collection.
  // The lag of the event loop is looked at ten times a second: a hundred times, the default, costs as much as the idle daemon.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  const optionsOf = ({
    name,
    help,
    labels,
  }: Metric): { name: string; help: string; labelNames: string[]; registers: Registry[] } => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  const counterOf = (metric: Metric<'counter'>): Counter => {
    const there = counters.get(metric.name) ?? new Counter(optionsOf(metric));
    counters.set(metric.name, there);
    return there;
  };
  const histogramOf = (metric: Metric<'histogram'>): Histogram => {
    const there = histograms.get(metric.name) ?? new Histogram({ ...optionsOf(metric), buckets: [...metric.buckets] });
    histograms.set(metric.name, there);
    return there;
  };
  // What has not happened yet is 0, where it can be said.
  for (const metric of metrics) {
    if (isOf('counter', metric)) startAtZero(counterOf(metric), metric);
    else if (isOf('histogram', metric)) histogramOf(metric);
  }
  const gaugeOf = (metric: Metric<'gauge'>, collect: (gauge: Gauge) => void): Gauge =>
    new Gauge({
      ...optionsOf(metric),
      collect() {
        collect(this);
      },
    });

  return {
    count(metric, labels, by = 1) {
      counterOf(metric).inc(labels, by);
    },

    observe(metric, labels, seconds) {
      histogramOf(metric).observe(labels, seconds);
    },

    show(readings) {
      for (const { metric, read } of readings)
        gaugeOf(metric, (gauge) => {
          gauge.reset();
          const now = read();
          // A gauge without labels is 0 after the reset; one that has no value is not shown.
          if (now === null) gauge.remove();
          else if (typeof now === 'number') gauge.set(now);
          else for (const [value, count] of now) gauge.set({ [metric.labels[0] ?? '']: value }, count);
        });
    },

    tell(metric, labels) {
      gaugeOf(metric, (gauge) => {
        gauge.set(labels, 1);
      });
    },

    async text() {
      return { type: registry.contentType, body: await registry.metrics() };
    },
  };
}

/** What is counted from its first time on would begin with 1, and increase() would not see that. */
function startAtZero(counter: Counter, { labels: [label], values }: Metric): void {
  if (label !== undefined) for (const value of values) counter.inc({ [label]: value }, 0);
}

function isOf<K extends MetricKind>(kind: K, metric: Metric): metric is Metric<K> {
  return metric.kind === kind;
}
