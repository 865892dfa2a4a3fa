export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** One metric, as Prometheus shows it. Names and units follow its conventions (prometheus.io/docs/practices/naming). */
export interface Metric<K extends MetricKind = MetricKind, L extends string = string> {
  readonly kind: K;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
  /** Of the label of a counter that has one: values that are known, and start at 0. */
  readonly values: readonly string[];
  /** Upper bounds, ascending; of a histogram alone. */
  readonly buckets: readonly number[];
}

/** @param label its only one, with its values as far as they are known */
export function counter<const L extends string = never>(
  name: string,
  help: string,
  label: { readonly name: L; readonly values: readonly string[] } | null = null,
): Metric<'counter', L> {
  const { name: labelName, values = [] } = label ?? {};
  return { kind: 'counter', name, help, labels: labelName === undefined ? [] : [labelName], values, buckets: [] };
}

export function gauge<const L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
): Metric<'gauge', L> {
  return { kind: 'gauge', name, help, labels, values: [], buckets: [] };
}

/** Of times; the buckets are seconds. */
export function histogram<const L extends string = never>(
  name: string,
  help: string,
  { labels = [], buckets }: { readonly labels?: readonly L[]; readonly buckets: readonly number[] },
): Metric<'histogram', L> {
  return { kind: 'histogram', name, help, labels, values: [], buckets };
}
