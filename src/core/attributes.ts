import { durationOrNull, numberOf, oneOf, orNull, words, yesOrNo, type Grammar } from './grammar.js';
import { hostsGrammar, isRouted, pathGrammar, type HttpRouting } from './http-route.js';
import { accept, quoted, reject, type Parsed } from './result.js';

/** How HAProxy speaks to the service; belongs to the listener. */
export const modes = ['tcp', 'http'] as const;
export type Mode = (typeof modes)[number];

/** `uri` is for HTTP mode alone. */
export const balances = ['roundrobin', 'leastconn', 'source', 'random', 'uri'] as const;
export type Balance = (typeof balances)[number];

/** `drain`: the container's stop was announced; requests under way finish, no new ones are sent. */
const states = ['ready', 'drain'] as const;
export type EndpointState = (typeof states)[number];

/** What an instance asks of its listener. Where instances disagree, the newest registration decides. */
export interface ListenerAttributes extends HttpRouting {
  readonly mode: Mode;
  readonly balance: Balance;
  /** Path of an HTTP check, or null for a layer-4 check. */
  readonly check: string | null;
  /** Status codes with which an HTTP check passes, as HAProxy writes them (`200`, `200-299,401`); null: any below 400. */
  readonly checkStatus: string | null;
  /** Time between two checks of a server that is well; null: what the template has. */
  readonly checkIntervalMs: number | null;
  /** A client stays with its server, by a cookie; in HTTP mode alone. */
  readonly sticky: 'cookie' | null;
}

/** What an instance says of itself. */
export interface ServerAttributes {
  /** Share of the traffic relative to the others, 1 to 256. */
  readonly weight: number;
  readonly state: EndpointState;
  /** It takes traffic only while no other one can. */
  readonly backup: boolean;
  /** Connections that it takes at a time; more wait for their turn. */
  readonly maxconn: number | null;
  /** It wants to be told the client's address by this version of the PROXY protocol. */
  readonly proxyProtocol: 'v1' | 'v2' | null;
  /** After it came back, its share grows from nothing to the whole in this time. */
  readonly slowStartMs: number | null;
  /** Where it stands: client hosts of the same zone go to it first. */
  readonly zone: string | null;
  /**
   * Who registered it withdraws it within this time after it has begun to fail what `check` asks: Docker's HEALTHCHECK finds it by
   * then. Null where nobody promises that.
   */
  readonly healthcheckMs: number | null;
  /** For templates and other tools. */
  readonly tags: readonly string[];
}

export interface Attributes extends ListenerAttributes, ServerAttributes {}

const checkPath = /^\/[A-Za-z0-9._~/-]{0,255}$/;

/** Up to eight codes or ranges of them. */
function areStatusCodes(text: string): boolean {
  const parts = text.split(',').map((part) => /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(part));
  return parts.length <= 8 && parts.every((part) => part !== null && Number(part[1]) <= Number(part[2] ?? part[1]));
}

export const longestHealthcheckMs = 3_600_000;
const healthcheckTime = durationOrNull('healthcheck', 1_000, longestHealthcheckMs);

const zonePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const zoneAllowed = 'up to 64 letters, digits, ".", "_" or "-", starting with a letter or digit';

const listenerGrammars: { readonly [K in keyof ListenerAttributes]: Grammar<ListenerAttributes[K]> } = {
  mode: oneOf('mode', modes, 'tcp'),
  balance: oneOf('balance', balances, 'roundrobin'),
  check: {
    name: 'check',
    initial: null,
    allowed: 'tcp, or a path like /healthz, of letters, digits and . _ ~ / -',
    parse: (text) => (text === 'tcp' ? { value: null } : checkPath.test(text) ? { value: text } : null),
    format: (value) => value ?? 'tcp',
  },
  checkStatus: orNull('check-status', 'a status code, or several, like 200 or 200-299,401', (text) =>
    areStatusCodes(text) ? text : null,
  ),
  checkIntervalMs: durationOrNull('check-interval', 500, 3_600_000),
  sticky: orNull('sticky', 'cookie', (text) => (text === 'cookie' ? text : null)),
  httpHosts: hostsGrammar,
  httpPath: pathGrammar,
};

const serverGrammars: { readonly [K in keyof ServerAttributes]: Grammar<ServerAttributes[K]> } = {
  weight: {
    name: 'weight',
    initial: 1,
    allowed: 'a number from 1 to 256',
    parse: (text) => numberOf(text, 256),
    format: String,
  },
  backup: yesOrNo('backup'),
  maxconn: orNull('maxconn', 'a number from 1 to 1000000', (text) => numberOf(text, 1_000_000)?.value ?? null),
  proxyProtocol: orNull('proxy-protocol', 'v1 or v2', (text) => (text === 'v1' || text === 'v2' ? text : null)),
  slowStartMs: durationOrNull('slow-start', 1_000, 3_600_000),
  // A docker-register that is older than the attribute writes the label's word there, which promises nothing.
  healthcheckMs: { ...healthcheckTime, parse: (text) => healthcheckTime.parse(text) ?? { value: null } },
  zone: orNull('zone', zoneAllowed, (text) => (zonePattern.test(text) ? text : null)),
  tags: words('tags'),
  state: oneOf('state', states, 'ready'),
};

const grammars: { readonly [K in keyof Attributes]: Grammar<Attributes[K]> } = {
  ...listenerGrammars,
  ...serverGrammars,
};

const properties = Object.keys(grammars) as (keyof Attributes)[];
const listenerProperties = Object.keys(listenerGrammars) as (keyof ListenerAttributes)[];
const propertyByName = new Map(properties.map((property) => [grammars[property].name, property]));

export const defaultAttributes = Object.fromEntries(
  properties.map((property) => [property, grammars[property].initial]),
) as unknown as Attributes;

export function parseZone(text: string): Parsed<string> {
  return zonePattern.test(text) ? accept(text) : reject(`${quoted(text)} is not a zone: ${zoneAllowed}`);
}

/** Of all that mean something to the pair. */
export const attributeNames: readonly string[] = [...propertyByName.keys()];

/** Whether an attribute of this name means something to the pair. */
export function isKnownAttribute(name: string): boolean {
  return propertyByName.has(name);
}

/** What may stand in this attribute, for a message. */
export function allowedIn(name: string): string {
  const property = propertyByName.get(name);
  return property === undefined ? '' : grammars[property].allowed;
}

/** One attribute by its name. One that means nothing to the pair says nothing. */
export function parseAttribute(name: string, text: string): Parsed<Partial<Attributes>> {
  const property = propertyByName.get(name);
  if (property === undefined) return accept({});
  const parsed = grammars[property].parse(text);
  if (parsed === null) return reject(`${name}: ${quoted(text)} is not ${grammars[property].allowed}`);
  return accept({ [property]: parsed.value });
}

/** Name and text of those that do not have their default, in the order of the table. */
export function attributeTexts(attributes: Attributes): [name: string, text: string][] {
  return properties.flatMap((property) => textOf(grammars, property, attributes));
}

/** The same, of those that belong to the listener. */
export function listenerAttributeTexts(attributes: ListenerAttributes): [name: string, text: string][] {
  return listenerProperties.flatMap((property) => textOf(listenerGrammars, property, attributes));
}

/** Reads what `listenerAttributeTexts` wrote, of a record that may have more; null stands for the default too. */
export function parseListenerAttributes(texts: Readonly<Record<string, unknown>>): Parsed<ListenerAttributes> {
  let attributes = listenerAttributesOf(defaultAttributes);
  for (const { name } of Object.values(listenerGrammars)) {
    const text = texts[name] ?? null;
    if (text === null) continue;
    const parsed = parseAttribute(name, typeof text === 'string' ? text : '');
    if (!parsed.ok) return parsed;
    attributes = { ...attributes, ...parsed.value };
  }
  return accept(attributes);
}

/** Those that belong to the listener, of something that has more. */
export function listenerAttributesOf(attributes: ListenerAttributes): ListenerAttributes {
  const { mode, balance, check, checkStatus, checkIntervalMs, sticky, httpHosts, httpPath } = attributes;
  return { mode, balance, check, checkStatus, checkIntervalMs, sticky, httpHosts, httpPath };
}

/** As HAProxy can do it: what is routed is HTTP, and where it doesn't read requests, there is no cookie. */
export function inItsMode(attributes: ListenerAttributes): ListenerAttributes {
  const { mode, balance } = attributes;
  if (isRouted(attributes)) return { ...attributes, mode: 'http' };
  if (mode === 'http') return attributes;
  return { ...attributes, balance: balance === 'uri' ? defaultAttributes.balance : balance, sticky: null };
}

function textOf<A>(
  table: { readonly [P in keyof A]: Grammar<A[P]> },
  property: keyof A,
  attributes: A,
): [string, string][] {
  const grammar = table[property];
  const text = grammar.format(attributes[property]);
  return text === grammar.format(grammar.initial) ? [] : [[grammar.name, text]];
}
