import { Option } from 'commander';
import { defaultLimits, type DiscoverLimits } from '../core/limits.js';
import { accept, reject, type Parsed } from '../core/result.js';
import { by } from './options.js';

/** How much of what stands in etcd this host takes. */
export interface LimitSettings {
  readonly maxKeyBytes: number;
  readonly maxValueBytes: number;
  readonly maxKeys: number;
  readonly maxKeysPerLease: number;
  readonly maxServices: number;
  readonly maxEndpoints: number;
  readonly maxListeners: number;
  readonly listenerMaxconn?: number;
}

export function limitOptions(): Option[] {
  const { keyBytes, valueBytes, keys, keysPerLease, services, endpoints, listeners } = defaultLimits;
  return [
    limitOption({
      flags: '--max-key-bytes',
      env: 'MAX_KEY_BYTES',
      description: 'longest key that is taken, bytes; a longer one is rejected alone',
      initial: keyBytes,
      most: keyBytes,
    }),
    limitOption({
      flags: '--max-value-bytes',
      env: 'MAX_VALUE_BYTES',
      description: 'longest value that is taken, bytes; a longer one is rejected alone',
      initial: valueBytes,
      most: valueBytes,
    }),
    limitOption({
      flags: '--max-keys',
      env: 'MAX_KEYS',
      description: 'most keys below the prefix that are taken, all together; beyond it the oldest stay',
      initial: keys,
    }),
    limitOption({
      flags: '--max-keys-per-lease',
      env: 'MAX_KEYS_PER_LEASE',
      description:
        'most keys that are taken of one lease, which is one docker-register; keys without a lease count together',
      initial: keysPerLease,
    }),
    limitOption({
      flags: '--max-services',
      env: 'MAX_SERVICES',
      description: 'most services; beyond it those with the oldest registrations stay',
      initial: services,
    }),
    limitOption({
      flags: '--max-endpoints',
      env: 'MAX_ENDPOINTS',
      description: 'most endpoints of one service; beyond it the oldest stay',
      initial: endpoints,
    }),
    limitOption({
      flags: '--max-listeners',
      env: 'MAX_LISTENERS',
      description: 'most listeners on this host; beyond it those with the oldest registrations stay',
      initial: listeners,
    }),
    limitOption({
      flags: '--listener-maxconn',
      env: 'LISTENER_MAXCONN',
      description:
        'most connections of one listener at a time; more wait (default: a tenth of those that HAProxy can have, 10000 at the most)',
      most: 1_000_000,
    }),
  ];
}

export function limitsOf(settings: LimitSettings): DiscoverLimits {
  const { maxKeyBytes, maxValueBytes, maxKeys, maxKeysPerLease, maxServices, maxEndpoints, maxListeners } = settings;
  return {
    keyBytes: maxKeyBytes,
    valueBytes: maxValueBytes,
    keys: maxKeys,
    keysPerLease: maxKeysPerLease,
    services: maxServices,
    endpoints: maxEndpoints,
    listeners: maxListeners,
  };
}

export function limitOption({
  flags,
  env,
  description,
  initial,
  most = 10_000_000,
}: {
  readonly flags: string;
  readonly env: string;
  readonly description: string;
  readonly initial?: number;
  /** Not beyond what the code itself can hold. */
  readonly most?: number;
}): Option {
  const option = new Option(`${flags} <number>`, description).env(env).argParser(by(parseLimit(most)));
  return initial === undefined ? option : option.default(initial);
}

const parseLimit =
  (most: number) =>
  (text: string): Parsed<number> => {
    const number = /^[1-9]\d{0,7}$/.test(text) ? Number(text) : 0;
    return number >= 1 && number <= most ? accept(number) : reject(`must be a number from 1 to ${String(most)}`);
  };
