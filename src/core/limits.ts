import { maxKeyBytes, maxValueBytes } from './keyspace.js';

/** How much of what stands in etcd a client host takes. Beyond each of them the oldest stay, on every host the same ones. */
export interface DiscoverLimits {
  /** Bytes of one key, and of one value; the contract knows no longer ones. */
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Keys below the prefix. */
  readonly keys: number;
  /** Keys on one lease, which is one docker-register; those that hang on none are one group. */
  readonly keysPerLease: number;
  readonly services: number;
  /** Of one service. */
  readonly endpoints: number;
  readonly listeners: number;
}

/** Five times a site of 1,000 services with 20,000 endpoints, and of hosts with 1,000 containers each. */
export const defaultLimits: DiscoverLimits = {
  keyBytes: maxKeyBytes,
  valueBytes: maxValueBytes,
  keys: 100_000,
  keysPerLease: 5_000,
  services: 5_000,
  endpoints: 2_000,
  listeners: 5_000,
};

/** By the word in metrics. */
export type LimitCounts = Readonly<
  Record<'key_bytes' | 'value_bytes' | 'keys' | 'keys_per_lease' | 'services' | 'endpoints' | 'listeners', number>
>;

export function limitCountsOf({ keyBytes, valueBytes, keysPerLease, ...others }: DiscoverLimits): LimitCounts {
  return { key_bytes: keyBytes, value_bytes: valueBytes, keys_per_lease: keysPerLease, ...others };
}
