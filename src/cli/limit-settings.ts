import { Option } from 'commander';
import { defaultLimits, type DiscoverLimits } from '../core/limits.js';
import { accept, reject, type Parsed } from '../core/result.js';
import { by } from './options.js';

/** How much of what stands in etcd this host takes. */
export interface LimitSettings {
  readonly maxKeys: number;
  readonly maxKeysPerLease: number;
  readonly maxServices: number;
  readonly maxEndpoints: number;
  readonly maxListeners: number;
}

export function limitOptions(): Option[] {
  const { keys, keysPerLease, services, endpoints, listeners } = defaultLimits;
  return [
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
  ];
}

export function limitsOf(settings: LimitSettings): DiscoverLimits {
  const { maxKeys, maxKeysPerLease, maxServices, maxEndpoints, maxListeners } = settings;
  return {
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
}: {
  readonly flags: string;
  readonly env: string;
  readonly description: string;
  readonly initial: number;
}): Option {
  return new Option(`${flags} <number>`, description).env(env).argParser(by(parseLimit)).default(initial);
}

function parseLimit(text: string): Parsed<number> {
  const number = /^[1-9]\d{0,7}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= 10_000_000 ? accept(number) : reject('must be a number from 1 to 10000000');
}
