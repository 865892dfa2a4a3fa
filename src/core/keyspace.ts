import { formatAddress, isLoopback, parseAddress, parseIp, parsePort } from './address.js';
import { attributeTexts, defaultAttributes, isKnownAttribute, parseAttribute } from './attributes.js';
import { accept, printable, quoted, reject, type Parsed } from './result.js';
import { parseId, parseServiceName, type Registration } from './service.js';
import { signatureBytes } from './signature.js';

/**
 * The contract between the two daemons, and with any other tool:
 *
 *     <prefix>/<service>/<id>      ip:port[?attribute=value[&…]]
 *     <prefix>/drain:/<id or ip>   whatever it says, that registration, or all of that host, drains
 *
 * Attributes: `port` (service port; the address's port without it), those of `attributes.ts`, and `at`, the time of the event
 * that led to it, which is for measuring alone, and `by` and `sig`, the signature (`signature.ts`). Others are handed on to
 * templates where they are short and harmless, and left alone otherwise, so that an older reader understands a newer
 * writer.
 */
export const maxValueBytes = 2048;
/** What a registration may say for itself: a signature must have room behind it, whether or not there is one. */
export const maxOwnBytes = maxValueBytes - signatureBytes;
/** With a prefix of at most `maxPrefixLength` no key of the grammar is longer. */
export const maxKeyBytes = 1024;
const maxPrefixLength = 256;
/** In the text of a key that was longer, and of no other: nothing that was read from UTF-8 holds a lone surrogate like it. */
export const keyCutMark = '\ud800';

const keySegment = '[A-Za-z0-9][A-Za-z0-9._-]*';
const prefixPattern = new RegExp(`^(?:/${keySegment})+$`);
/** Attributes that are not in the table, because no label gives them. */
const ownNames = new Set(['port', 'at', 'by', 'sig']);
const otherName = /^[a-z][a-z0-9_-]{0,31}$/;
const otherText = /^[A-Za-z0-9._~:/,@+*=-]{1,128}$/;

/** `/backends`: segments that each start with a slash, none at the end; 256 characters at most. */
export function parsePrefix(text: string): Parsed<string> {
  if (text.length <= maxPrefixLength && prefixPattern.test(text)) return accept(text);
  return reject(
    'is not a prefix: it starts with "/", has no "/" at its end, letters, digits, ".", "_" or "-" between, and 256 characters at most',
  );
}

export function isCutKey(key: string): boolean {
  return key.includes(keyCutMark);
}

/** What every key of the prefix starts with; the slash keeps `/backends-2` out of `/backends`. */
export function keyspaceOf(prefix: string): string {
  return `${prefix}/`;
}

export function keyOf(prefix: string, { service, id }: Pick<Registration, 'service' | 'id'>): string {
  return `${prefix}/${service}/${id}`;
}

export function parseKey(prefix: string, key: string): Parsed<Pick<Registration, 'service' | 'id'>> {
  const rest = key.startsWith(keyspaceOf(prefix)) ? key.slice(prefix.length + 1).split('/') : [];
  const [serviceText, idText] = rest;
  if (rest.length !== 2 || serviceText === undefined || idText === undefined) {
    return reject(`${quoted(key)} is not a key of the form ${prefix}/<service>/<id>`);
  }
  const service = parseServiceName(serviceText);
  if (!service.ok) return service;
  const id = parseId(idText);
  return id.ok ? accept({ service: service.value, id: id.value }) : id;
}

/** Where what is drained by hand stands, beside the services: no service has such a name. */
const drains = 'drain:';

/** What is drained by hand: a registration by its id, a container by the first 12 digits of its id, or a host by its address. */
export function parseDrainTarget(text: string): Parsed<string> {
  const ip = parseIp(text);
  if (ip.ok) return ip;
  const id = parseId(/^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text);
  return id.ok ? id : reject(`${id.reason}, nor the address of a host`);
}

export function drainKeyOf(prefix: string, target: string): string {
  return `${prefix}/${drains}/${target}`;
}

/** The target of a key that drains, or null where it is a key of another kind. */
export function drainTargetOf(prefix: string, key: string): string | null {
  const start = drainKeyOf(prefix, '');
  const target = key.startsWith(start) ? parseDrainTarget(key.slice(start.length)) : null;
  return target?.ok === true ? target.value : null;
}

/** A key as it may go to a terminal or into a log, whatever it is; one of the grammar is shown whole. */
export function printableKey(key: string): string {
  return printable(key, maxPrefixLength + 260);
}

/** The value as it stands in etcd; attributes that have their default are left out, `port` is always said. */
export function formatValue(registration: Registration): string {
  const { address, servicePort } = registration;
  const others = [...registration.others].sort(([a], [b]) => (a < b ? -1 : 1));
  const time = registration.eventAtMs === null ? [] : [['at', new Date(registration.eventAtMs).toISOString()]];
  const attributes = [['port', String(servicePort)], ...attributeTexts(registration), ...others, ...time];
  return `${formatAddress(address)}?${attributes.map((pair) => pair.join('=')).join('&')}`;
}

const time = /[?&]at=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)(?=&|$)/;

/** The time of the event that led to a value, ms since 1970; null where it has none that can be read. */
export function eventTimeOf(value: string): number | null {
  const atMs = Date.parse(time.exec(value)?.[1] ?? '');
  return Number.isNaN(atMs) ? null : atMs;
}

/** The value without its time: what matters to whoever serves it. */
export function withoutTime(value: string): string {
  return value.replace(/&at=[^&]*/, '');
}

/** Whether an attribute that means nothing to the pair may stand in a value. */
export function isOtherAttribute(name: string, text: string): boolean {
  return otherName.test(name) && !ownNames.has(name) && !isKnownAttribute(name) && otherText.test(text);
}

type Value = Omit<Registration, 'service' | 'id'>;

/**
 * With all properties that a value has. An object that is made by altering a copy of it is made in less than a microsecond; V8
 * takes ten and more where properties are added to what was spread.
 */
export const blankValue: Value = {
  ...defaultAttributes,
  address: { host: '', port: 0 },
  servicePort: 0,
  eventAtMs: null,
  others: new Map(),
};

export function parseValue(stored: string): Parsed<Value> {
  // As a tool leaves it that puts the contents of a file.
  const text = stored.replace(/\r?\n$/, '');
  if (Buffer.byteLength(text) > maxValueBytes) return reject(`its value is longer than ${String(maxValueBytes)} bytes`);
  const mark = text.indexOf('?');
  const address = parseAddress(mark === -1 ? text : text.slice(0, mark));
  if (!address.ok) return address;

  const value = {
    ...blankValue,
    address: address.value,
    servicePort: address.value.port,
    eventAtMs: eventTimeOf(text),
  };
  const others = new Map<string, string>();
  const query = mark === -1 ? '' : text.slice(mark + 1);
  const seen = new Set<string>();
  for (const pair of query.split('&').filter((one) => one !== '')) {
    const [name = '', ...rest] = pair.split('=');
    if (seen.has(name) && (name === 'port' || isKnownAttribute(name)))
      return reject(`attribute ${quoted(name)} is given twice`);
    seen.add(name);
    const attribute = parsePair(name, rest.join('='));
    if (!attribute.ok) return attribute;
    Object.assign(value, attribute.value);
    if (isOtherAttribute(name, rest.join('='))) others.set(name, rest.join('='));
  }
  // HAProxy on the client host would take its own listener for the back end, and connect to itself without end.
  if (isLoopback(value.address.host) && value.address.port === value.servicePort) {
    return reject(
      `${quoted(text)} points back to the listener itself: a loopback address needs a service port of its own`,
    );
  }
  // Most have none, and share the empty one.
  return accept(others.size === 0 ? value : { ...value, others });
}

function parsePair(name: string, text: string): Parsed<Partial<Value>> {
  if (name !== 'port') return parseAttribute(name, text);
  const port = parsePort(text);
  return port.ok ? accept({ servicePort: port.value }) : reject(`port: ${port.reason}`);
}
