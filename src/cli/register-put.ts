import { checkAddress } from '../adapters/address-check.js';
import { isIPv4, type Address } from '../core/address.js';
import { isKnownAttribute, parseAttribute } from '../core/attributes.js';
import { SettingError } from '../core/errors.js';
import { formatValue, isOtherAttribute, keyOf, maxOwnBytes, parseValue } from '../core/keyspace.js';
import { accept, quoted, reject, type Parsed } from '../core/result.js';
import { parseId, parseServiceName, type Registration } from '../core/service.js';
import { hold } from '../daemon/hold.js';
import type { Logger } from '../ports/log.js';
import type { Registry } from '../ports/registry.js';

export interface PutSettings {
  readonly id?: string;
  readonly hold?: boolean;
  /** `tcp`, or the path of an HTTP check. */
  readonly check?: string;
}

export interface PutOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly registration: Registration;
  readonly ttlMs: number;
  readonly settings: PutSettings;
  readonly log: Logger;
}

/** Holds it until `signal` fires, or puts it once, for good. */
export async function put(
  { registry, prefix, registration, ttlMs, settings, log }: PutOptions,
  signal: AbortSignal,
): Promise<void> {
  const [key, value] = [keyOf(prefix, registration), formatValue(registration)];
  if (settings.hold === true) {
    const check = checkOf(registration.address, settings.check);
    await hold({ registry, key, value, ttlMs, check, log }, signal);
    return;
  }
  if (settings.check !== undefined)
    throw new SettingError('--check is for a registration that is kept: give --hold too');
  await registry.apply({ puts: [{ key, value }], deletes: [] }, '0', signal);
  log.info({ key, value }, 'registered for good; etcdctl del removes it');
}

function checkOf(
  address: Address,
  check: string | undefined,
): ((signal: AbortSignal) => Promise<string | null>) | null {
  if (check === undefined) return null;
  const parsed = parseAttribute('check', check);
  if (!parsed.ok) throw new SettingError(`--check: ${parsed.reason}`);
  const path = parsed.value.check ?? null;
  return (signal) => checkAddress(address, path, signal);
}

/** `db 198.18.0.40:5432 weight=2 region=eu` → what is registered. */
export function parseRegistration(
  service: string,
  address: string,
  attributes: readonly string[],
  id?: string,
): Parsed<Registration> {
  const name = parseServiceName(service.toLowerCase());
  if (!name.ok) return name;
  for (const attribute of attributes) {
    const [, key = '', text = ''] = /^([a-z][a-z0-9_-]*)=([^&?]+)$/.exec(attribute) ?? [];
    if (key !== 'port' && !isKnownAttribute(key) && !isOtherAttribute(key, text))
      return reject(`${quoted(attribute)} is not an attribute: give NAME=VALUE, as in weight=2`);
  }
  const value = parseValue(`${address}${attributes.length === 0 ? '' : '?'}${attributes.join('&')}`);
  if (!value.ok) return value;
  const bytes = Buffer.byteLength(formatValue({ ...value.value, service: name.value, id: '' }));
  if (bytes > maxOwnBytes) return reject(`its value has ${String(bytes)} bytes, and may have ${String(maxOwnBytes)}`);
  const ownId = parseId(id ?? idOf(value.value.address));
  return ownId.ok ? accept({ ...value.value, service: name.value, id: ownId.value }) : ownId;
}

/** IPv6 is told apart from an address by its dashes: with colons, an id could be the address of a host. */
function idOf({ host, port }: Address): string {
  return `${isIPv4(host) ? host : `ip6-${host.replaceAll(':', '-')}`}:${String(port)}`;
}
