import type { Metric } from '../core/metrics/metric.js';

/** Counts and times what the daemons do. Never throws; costs next to nothing. */
export interface Meter {
  /** @param by 1 unless told otherwise */
  count<L extends string>(metric: Metric<'counter', L>, labels: Readonly<Record<L, string>>, by?: number): void;
  /** @param seconds time that something took */
  observe<L extends string>(metric: Metric<'histogram', L>, labels: Readonly<Record<L, string>>, seconds: number): void;
}
