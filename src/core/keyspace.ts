import { formatAddress, isLoopback, parseAddress, parsePort } from './address.js';
import { accept, printable, quoted, reject, type Parsed } from './result.js';
import {
  balances,
  defaultAttributes,
  parseId,
  parseServiceName,
  type Balance,
  type ListenerAttributes,
  type Registration,
} from './service.js';

/**
 * The contract between the two daemons, and with any other tool:
 *
 *     <prefix>/<service>/<id>      ip:port[?attribute=value[&…]]
 *
 * Attributes: `port` (service port; the address's port without it), `mode` (tcp, http), `balance`, `check` (path of an
 * HTTP check), `weight` (1 to 256), `state` (ready, drain). Attributes with other names are left alone, so that an older
 * reader understands a newer writer.
 */
export const maxValueBytes = 1024;
/** With a prefix of at most `maxPrefixLength` no key of the grammar is longer. */
export const maxKeyBytes = 1024;
const maxPrefixLength = 256;

const keySegment = '[A-Za-z0-9][A-Za-z0-9._-]*';
const prefixPattern = new RegExp(`^(?:/${keySegment})+$`);
const checkPath = /^\/[A-Za-z0-9._~/-]{0,255}$/;

/** `/backends`: segments that each start with a slash, none at the end; 256 characters at most. */
export function parsePrefix(text: string): Parsed<string> {
  if (text.length <= maxPrefixLength && prefixPattern.test(text)) return accept(text);
  return reject(
    'is not a prefix: it starts with "/", has no "/" at its end, letters, digits, ".", "_" or "-" between, and 256 characters at most',
  );
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

/** A key as it may go to a terminal or into a log, whatever it is; one of the grammar is shown whole. */
export function printableKey(key: string): string {
  return printable(key, maxPrefixLength + 260);
}

/** The value as it stands in etcd; attributes that have their default are left out, `port` is always said. */
export function formatValue(registration: Registration): string {
  const { address, servicePort, mode, balance, check, weight, state } = registration;
  const attributes = [`port=${String(servicePort)}`];
  if (mode !== defaultAttributes.mode) attributes.push(`mode=${mode}`);
  if (balance !== defaultAttributes.balance) attributes.push(`balance=${balance}`);
  if (check !== null) attributes.push(`check=${check}`);
  if (weight !== defaultAttributes.weight) attributes.push(`weight=${String(weight)}`);
  if (state !== defaultAttributes.state) attributes.push(`state=${state}`);
  return `${formatAddress(address)}?${attributes.join('&')}`;
}

type Value = Omit<Registration, 'service' | 'id'>;

export function parseValue(text: string): Parsed<Value> {
  if (Buffer.byteLength(text) > maxValueBytes) return reject(`its value is longer than ${String(maxValueBytes)} bytes`);
  const mark = text.indexOf('?');
  const address = parseAddress(mark === -1 ? text : text.slice(0, mark));
  if (!address.ok) return address;

  let value: Value = { ...defaultAttributes, address: address.value, servicePort: address.value.port };
  const query = mark === -1 ? '' : text.slice(mark + 1);
  const seen = new Set<string>();
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name = '', ...rest] = pair.split('=');
    if (seen.has(name)) return reject(`attribute ${quoted(name)} is given twice`);
    seen.add(name);
    const attribute = parseAttribute(name, rest.join('='));
    if (!attribute.ok) return attribute;
    value = { ...value, ...attribute.value };
  }
  // HAProxy on the client host would take its own listener for the back end, and connect to itself without end.
  if (isLoopback(value.address.host) && value.address.port === value.servicePort) {
    return reject(
      `${quoted(text)} points back to the listener itself: a loopback address needs a service port of its own`,
    );
  }
  return accept(value);
}

/** The attributes of a listener, each as it stands in a value. */
export function parseListenerAttributes(
  texts: Readonly<Record<keyof ListenerAttributes, string>>,
): Parsed<ListenerAttributes> {
  const { mode, balance, check } = defaultAttributes;
  let attributes: ListenerAttributes = { mode, balance, check };
  for (const [name, text] of Object.entries(texts)) {
    const attribute = parseAttribute(name, text);
    if (!attribute.ok) return attribute;
    attributes = { ...attributes, ...attribute.value };
  }
  return accept(attributes);
}

function parseAttribute(name: string, text: string): Parsed<Partial<Value>> {
  switch (name) {
    case 'port': {
      const port = parsePort(text);
      return port.ok ? accept({ servicePort: port.value }) : reject(`port: ${port.reason}`);
    }
    case 'mode':
      return text === 'tcp' || text === 'http'
        ? accept({ mode: text })
        : reject(`mode: ${quoted(text)} is not tcp or http`);
    case 'balance':
      return isBalance(text)
        ? accept({ balance: text })
        : reject(`balance: ${quoted(text)} is not one of ${balances.join(', ')}`);
    case 'check':
      if (text === 'tcp') return accept({ check: null });
      return checkPath.test(text)
        ? accept({ check: text })
        : reject(`check: ${quoted(text)} is not a path like /healthz`);
    case 'weight': {
      const weight = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
      return weight >= 1 && weight <= 256
        ? accept({ weight })
        : reject(`weight: ${quoted(text)} is not a number from 1 to 256`);
    }
    case 'state':
      return text === 'ready' || text === 'drain'
        ? accept({ state: text })
        : reject(`state: ${quoted(text)} is not ready or drain`);
    default:
      return accept({});
  }
}

function isBalance(text: string): text is Balance {
  return balances.some((balance) => balance === text);
}
