import { recordOf, type Catalog, type Entry, type LeasedEntry } from '../../../src/core/catalog.js';
import { catalogOf } from '../../../src/core/catalog-index.js';
import { claimsOf, type Claim } from '../../../src/core/haproxy/claims.js';
import { formatValue, keyOf } from '../../../src/core/keyspace.js';
import { defaultAttributes } from '../../../src/core/attributes.js';
import { defaultRegistrationLimits } from '../../../src/core/registration-limits.js';
import type { RegistrationPolicy } from '../../../src/core/registrations.js';
import type { Registration } from '../../../src/core/service.js';

export const prefix = '/backends';

export function registrationWith(changes: Partial<Registration> = {}): Registration {
  return {
    ...defaultAttributes,
    service: 'whoami',
    id: '0123456789ab',
    address: { host: '10.170.71.226', port: 49153 },
    servicePort: 8000,
    eventAtMs: null,
    others: new Map(),
    ...changes,
  };
}

/** A registration as it stands in etcd. */
export function entryWith(changes: Partial<Registration> = {}, createRevision = 1): LeasedEntry {
  const registration = registrationWith(changes);
  return { key: keyOf(prefix, registration), value: formatValue(registration), createRevision, lease: '0' };
}

export function catalogWith(entries: readonly Entry[]): Catalog {
  return catalogOf(entries.map((entry) => recordOf(prefix, entry)));
}

/** What the services of these entries ask for. */
export function claimsWith(entries: readonly Entry[]): Claim[] {
  return catalogWith(entries).services.flatMap((service) => claimsOf(service, (_name, servicePort) => servicePort));
}

let hosts = 0;

/** An entry at an address of its own. */
export function entryAt(
  service: string,
  servicePort: number,
  id: string,
  createRevision = 1,
  changes: Partial<Registration> = {},
): LeasedEntry {
  hosts += 1;
  const address = { host: `10.0.${String(hosts >> 8)}.${String(hosts & 255)}`, port: 49153 };
  return entryWith({ service, servicePort, id, address, ...changes }, createRevision);
}

/** As without any setting. */
export function policyWith(changes: Partial<RegistrationPolicy> = {}): RegistrationPolicy {
  return {
    hostIp: '10.170.71.226',
    naming: { kind: 'image' },
    onlyLabel: null,
    internal: null,
    zone: null,
    limits: defaultRegistrationLimits,
    ...changes,
  };
}
