export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** One metric, as Prometheus shows it. Names and units follow its conventions (prometheus.io/docs/practices/naming). */
export interface Metric<K extends MetricKind = MetricKind, L extends string = string> {
  readonly kind: K;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
  /** Upper bounds, ascending; of a histogram alone. */
  readonly buckets: readonly number[];
}

export function counter<const L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
): Metric<'counter', L> {
  return { kind: 'counter', name, help, labels, buckets: [] };
}

export function gauge<const L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
): Metric<'gauge', L> {
  return { kind: 'gauge', name, help, labels, buckets: [] };
}

/** Of times; the buckets are seconds. */
export function histogram<const L extends string = never>(
  name: string,
  help: string,
  { labels = [], buckets }: { readonly labels?: readonly L[]; readonly buckets: readonly number[] },
): Metric<'histogram', L> {
  return { kind: 'histogram', name, help, labels, buckets };
}
