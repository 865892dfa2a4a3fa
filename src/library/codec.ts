import { formatAddress, parseAddress, parsePort } from '../core/address.js';
import { attributeTexts, defaultAttributes, parseAttribute } from '../core/attributes.js';
import {
  drainTargetOf,
  formatValue,
  isOtherAttribute,
  keyOf,
  parseKey,
  parsePrefix,
  parseValue,
} from '../core/keyspace.js';
import { quoted, type Parsed } from '../core/result.js';
import { parseId, parseServiceName, type Registration as Inner } from '../core/service.js';
import { checkOptions, checkRegistration, checkString } from './arguments.js';
import type { Decoded, Entry, PrefixOption, Registration, RegistrationInput } from './types.js';

const defaultPrefix = '/backends';

/**
 * The key and the value under which a registration stands in etcd.
 *
 * @throws RangeError where something in it breaks the grammar; it names the thing, the value and what is allowed
 */
export function encode(registration: RegistrationInput, options: PrefixOption = {}): Entry {
  checkRegistration(registration);
  const prefix = prefixOf(options);
  const { others = {}, address, ...given } = registration;
  const attributes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const inner: Inner = {
    ...defaultAttributes,
    servicePort: address.port,
    ...(attributes as Partial<Inner>),
    service: taken('service', parseServiceName(registration.service)),
    id: taken('id', parseId(registration.id)),
    address: taken('address', parseAddress(formatAddress(address))),
    others: new Map(Object.entries(others)),
    // For docker-register to say: when Docker told it.
    eventAtMs: null,
  };
  taken('servicePort', parsePort(String(inner.servicePort)));
  for (const [name, text] of attributeTexts(inner)) taken('attribute', parseAttribute(name, text));
  for (const [name, text] of inner.others)
    if (!isOtherAttribute(name, text))
      throw new RangeError(
        `others: ${quoted(`${name}=${text}`)} is none: a name of its own of small letters, digits, "_" and "-", and up to 128 letters, digits and . _ ~ : / , @ + * = -`,
      );
  const value = formatValue(inner);
  taken('value', parseValue(value));
  return { key: keyOf(prefix, inner), value };
}

/**
 * What stands under a key of etcd.
 *
 * @throws RangeError where `key` or `value` is no string, or `prefix` is none
 */
export function decode(key: string, value: string, options: PrefixOption = {}): Decoded {
  checkString('key', key);
  checkString('value', value);
  const prefix = prefixOf(options);
  const target = drainTargetOf(prefix, key);
  if (target !== null) return { ok: false, reason: `${quoted(key)} is no registration: it drains ${target}` };
  const name = parseKey(prefix, key);
  if (!name.ok) return name;
  const rest = parseValue(value);
  return rest.ok ? { ok: true, registration: registrationOf({ ...name.value, ...rest.value }) } : rest;
}

/**
 * A registration as the library shows it: each field by name, so that one that is added inside stays inside.
 *
 * @internal
 */
export function registrationOf(inner: Inner): Registration {
  const { service, id, address, servicePort, state, weight, backup, maxconn, proxyProtocol, slowStartMs } = inner;
  const { healthcheckMs, zone, tags, mode, check, checkStatus, checkIntervalMs, balance, sticky, httpHosts, httpPath } =
    inner;
  return {
    service,
    id,
    address,
    servicePort,
    state,
    weight,
    backup,
    maxconn,
    proxyProtocol,
    slowStartMs,
    healthcheckMs,
    zone,
    tags,
    mode,
    check,
    checkStatus,
    checkIntervalMs,
    balance,
    sticky,
    httpHosts,
    httpPath,
    others: Object.fromEntries(inner.others),
  };
}

/**
 * @internal
 * @throws RangeError where it is none
 */
export function prefixOf(options: PrefixOption): string {
  checkOptions(options);
  const { prefix = defaultPrefix } = options;
  checkString('prefix', prefix);
  const parsed = parsePrefix(prefix);
  if (parsed.ok) return parsed.value;
  throw new RangeError(`prefix ${quoted(prefix)} ${parsed.reason}`);
}

function taken<T>(what: string, parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new RangeError(`${what}: ${parsed.reason}`);
}
