import { parsePort } from './address.js';
import { allowedIn, attributeNames, isKnownAttribute, parseAttribute, type Attributes } from './attributes.js';
import type { ContainerSnapshot } from './container.js';
import type { Found, Misread } from './found.js';
import { yesOrNo } from './grammar.js';
import { isOtherAttribute } from './keyspace.js';
import { nearMissOf } from './near-miss.js';
import { printable, reject, type Parsed } from './result.js';
import { parseId, parseServiceName } from './service.js';
import { virtualHostOf } from './virtual-host.js';

/** What a container says of one of its ports, in labels and environment variables called `SERVICE_…`. */
export interface PortMetadata {
  /** Name of the service, in lower case; what is none is not another service's either. Null where none is given. */
  readonly name: Parsed<string> | null;
  readonly id: Found | null;
  readonly servicePort: (Found & { readonly number: number }) | null;
  /** What says that the port is to be left alone. */
  readonly ignoredBy: string | null;
  readonly attributes: Partial<Attributes>;
  /** Whether Docker's HEALTHCHECK is as good as the HTTP check; null where nobody says. */
  readonly healthcheck: (Found & { readonly isEnough: boolean }) | null;
  readonly others: ReadonlyMap<string, string>;
}

export interface Metadata {
  /** What says that the whole container is to be left alone. */
  readonly ignoredBy: string | null;
  /** Its service, or a host name of it, was given a name: somebody wants it registered. */
  readonly isMeant: boolean;
  /** Container ports that have settings of their own. */
  readonly ports: readonly number[];
  of(containerPort: number): { readonly metadata: PortMetadata; readonly misread: readonly Misread[] };
}

type Settings = ReadonlyMap<string, Found>;

/** A label may have a name as long as its owner likes. */
const shownName = 80;

const pattern = /^SERVICE_(?:(\d{1,5})_)?([A-Za-z][A-Za-z0-9_.-]*)$/;

/**
 * Reads the settings of a container in registrator's grammar: `SERVICE_X` for all its ports, `SERVICE_<port>_X` for one, as
 * a label or an environment variable; nginx-proxy's words for host names too. The port's own goes before the general one, then a label before a variable. What is
 * empty is not given, and takes back what it goes before.
 */
export function metadataOf(container: Pick<ContainerSnapshot, 'labels' | 'environment' | 'ports'>): Metadata {
  const { labels, environment } = container;
  const virtualHost = virtualHostOf(container);
  const { port: virtualPort = null, settings: virtual = null, misread = [] } = virtualHost ?? {};
  const general = new Map<string, Found>(virtualPort === null ? virtual : null);
  const byPort = new Map<number, Map<string, Found>>();
  if (virtualPort !== null) byPort.set(virtualPort, new Map(virtual));
  // A label comes after a variable, and takes its place.
  for (const [kind, texts] of [['environment variable', environment] as const, ['label', labels] as const]) {
    for (const [name, value] of texts) {
      const [, portText, key] = pattern.exec(name) ?? [];
      if (key === undefined) continue;
      const found = { source: `${kind} ${printable(name, shownName)}`, value, forPort: portText !== undefined };
      const port = Number(portText);
      const level = portText === undefined ? general : (byPort.get(port) ?? new Map<string, Found>());
      if (portText !== undefined) byPort.set(port, level);
      level.set(key.toLowerCase(), found);
    }
  }
  const isGivenBack = [...byPort.values()].some((own) => own.get('ignore')?.value === '');
  const all = withOneCheck(general);
  return {
    ignoredBy: isGivenBack ? null : (given(general).get('ignore')?.source ?? null),
    isMeant:
      virtualHost !== null ||
      [general, ...byPort.values()].some((level) => level.has('name') || level.has('http_host')),
    ports: [...byPort.keys()].filter((port) => port > 0 && port <= 65_535),
    of: (port) => {
      const read = portMetadataOf(given(new Map([...all, ...withOneCheck(byPort.get(port) ?? new Map())])));
      return { ...read, misread: [...misread, ...read.misread] };
    },
  };
}

function given(settings: Settings): Settings {
  return new Map([...settings].filter(([, { value }]) => value !== ''));
}

/** Registrator's two words for checks as ours; it takes HTTP first. */
function withOneCheck(level: Settings): Settings {
  const rest = new Map(level);
  for (const key of ['check_tcp', 'check_http', 'check']) {
    const found = level.get(key);
    if (key !== 'check') rest.delete(key);
    if (found !== undefined && (found.value !== '' || !rest.has('check')))
      rest.set('check', key === 'check_tcp' && found.value !== '' ? { ...found, value: 'tcp' } : found);
  }
  return rest;
}

function portMetadataOf(settings: Settings): ReturnType<Metadata['of']> {
  const misread: Misread[] = [];
  const refuse = ({ source, value }: Found, allowed: string): void => {
    misread.push({ source, value, allowed });
  };
  const id = settings.get('id') ?? null;
  const port = settings.get('port') ?? null;
  const name = settings.get('name');
  const isId = id !== null && id.value.length <= maxIdLength && parseId(id.value).ok;
  if (id !== null && !isId)
    refuse(id, `up to ${String(maxIdLength)} letters, digits, ".", "_", ":" and "-", starting with a letter or digit`);
  const number = port === null ? null : parsePort(port.value);
  if (port !== null && number?.ok === false) refuse(port, 'a port from 1 to 65535');

  const others = new Map<string, string>();
  let attributes: Partial<Attributes> = {};
  let healthcheck: PortMetadata['healthcheck'] = null;
  for (const [key, found] of settings) {
    if (special.has(key)) continue;
    const attribute = attributeOf(key);
    if (isPrivate(attribute, found)) continue;
    const text = found.value;
    const reason = whyNotGiven(attribute, text, settings);
    const parsed = parseAttribute(attribute, text);
    if (reason !== null) refuse(found, reason);
    else if (attribute === 'healthcheck') {
      const word = yesOrNoOf(text);
      if (word === null) refuse(found, 'yes or no');
      else healthcheck = { ...found, isEnough: word };
    } else if (!parsed.ok) refuse(found, allowedIn(attribute));
    else if (isKnownAttribute(attribute)) attributes = { ...attributes, ...parsed.value };
    else if (isOtherAttribute(attribute, text)) {
      others.set(attribute, text);
      const meant = nearMissOf(attribute.toLowerCase().replaceAll('_', '-'), ownWords);
      if (meant !== null)
        refuse(
          found,
          `SERVICE_${meant.toUpperCase().replaceAll('-', '_')}, if that was meant: this is nothing of ours`,
        );
    } else
      refuse(
        found,
        'a name of up to 32 letters, digits, _ and -, and up to 128 letters, digits and . _ ~ : / , @ + * = -',
      );
  }
  // Half of a route would be another one, of every host or of every path.
  const isHalf = misread.some(({ source }) => /(?:VIRTUAL|_HTTP)_(?:HOST|PATH)$/i.test(source));
  const metadata = {
    name: name === undefined ? null : nameIn(name),
    id: isId ? id : null,
    servicePort: port !== null && number?.ok === true ? { ...port, number: number.value } : null,
    ignoredBy: settings.get('ignore')?.source ?? null,
    attributes: isHalf ? { ...attributes, httpHosts: [], httpPath: null } : attributes,
    healthcheck,
    others,
  };
  return { metadata, misread };
}

function nameIn({ source, value }: Found): Parsed<string> {
  const service = parseServiceName(value.toLowerCase());
  return service.ok ? service : reject(`${source}: ${service.reason}`);
}

/** A variable of the program itself, which is not meant for etcd or for a log. */
function isPrivate(attribute: string, { source, value }: Found): boolean {
  if (!source.startsWith('environment') || isKnownAttribute(attribute) || attribute.startsWith('check_')) return false;
  return /pass|pwd|secret|token|key|cred|auth/.test(attribute) || !isOtherAttribute(attribute, value);
}

/** What does not become an attribute of the value. */
const special = new Set(['name', 'id', 'port', 'ignore']);

const ownWords = [...special, ...attributeNames];

/** With the container port behind it, it still is an id. */
const maxIdLength = 120;

/** Why an attribute means nothing here, as what is allowed instead. */
function whyNotGiven(attribute: string, text: string, settings: Settings): string | null {
  const isRouted = [...settings.keys()].some((key) => /^http[_-](?:host|path)$/.test(key));
  const isHttp = isRouted || settings.get('mode')?.value === 'http';
  const hasPath = settings.get('check')?.value.startsWith('/') === true;
  // Of registrator, for Consul's checks: there is nothing here that could carry them out.
  if (attribute.startsWith('check_')) return 'nothing: see SERVICE_CHECK';
  if (attribute === 'state') return 'nothing: a label can not drain';
  if (attribute === 'sticky' && !isHttp) return 'a cookie only with SERVICE_MODE=http';
  if (attribute === 'balance' && text === 'uri' && !isHttp) return 'uri only with SERVICE_MODE=http';
  if (attribute === 'healthcheck' && !hasPath) return 'a word only with a path in SERVICE_CHECK';
  if (attribute === 'check-status' && !hasPath) return 'a status only with a path in SERVICE_CHECK';
  return null;
}

function yesOrNoOf(text: string): boolean | null {
  return yesOrNo('healthcheck').parse(text)?.value ?? null;
}

/** Its name in the value: labels and variables have `_` where ours have `-`. */
function attributeOf(key: string): string {
  const known = key.replaceAll('_', '-');
  return isKnownAttribute(known) ? known : key;
}
