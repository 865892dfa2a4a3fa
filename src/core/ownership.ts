import type { Entry } from './catalog.js';
import { parseKey, parseValue } from './keyspace.js';

const containerKeyId = /^[0-9a-f]{12}(?::\d{1,5})?$/;

/**
 * Whether docker-register of `hostIp` answers for a key, so that it removes it when no container stands behind it: the
 * key is named by a container id, points to this host, and hangs on a lease. A key put by hand is none of its business.
 */
export function isOwnKey(prefix: string, hostIp: string, entry: Entry & { readonly lease: string }): boolean {
  if (entry.lease === '0') return false;
  const key = parseKey(prefix, entry.key);
  const value = parseValue(entry.value);
  return key.ok && value.ok && containerKeyId.test(key.value.id) && value.value.address.host === hostIp;
}
