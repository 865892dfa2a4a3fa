import type { DiscoverStatus, EndpointStatus } from './discover-status.js';
import { parsePort } from './address.js';
import { nothingKnown } from './catalog-state.js';
import { printableKey } from './keyspace.js';
import { accept, reject, type Parsed } from './result.js';
import { parseServiceName } from './service.js';

/** How a script wants the pool of a service to be. */
export interface PoolWish {
  readonly service: string;
  /** Of its listener on this host; null: any. */
  readonly port: number | null;
  /** So many endpoints take traffic; null: no matter. */
  readonly up: number | null;
  /** The endpoints of this registration, or of this container, take no new connection; null: no matter. */
  readonly down: string | null;
}

/** `shop`, or `shop:8000` for its listener on that port. */
export function parsePool(text: string): Parsed<Pick<PoolWish, 'service' | 'port'>> {
  const [name = '', portText, ...more] = text.split(':');
  const service = parseServiceName(name);
  const port = portText === undefined ? null : parsePort(portText);
  if (!service.ok) return service;
  if (port?.ok === false) return port;
  return more.length === 0
    ? accept({ service: service.value, port: port?.value ?? null })
    : reject('give SERVICE or SERVICE:PORT');
}

/** What of the wish does not hold; null where all does. */
export function unmetOf(status: DiscoverStatus, { service, port, up, down }: PoolWish): string | null {
  const listeners = status.listeners.filter((one) => one.service === service && (port === null || one.port === port));
  const endpoints = listeners.flatMap((listener) => listener.endpoints);
  const takesTraffic = (endpoint: EndpointStatus): boolean => isUp(endpoint, status.output !== null);
  const reasons: string[] = [];
  if (down !== null) {
    const still = endpoints.filter((endpoint) => isOf(endpoint, down) && takesTraffic(endpoint));
    if (still.length > 0) reasons.push(`still in the pool: ${told(still)}`);
  }
  if (up !== null && endpoints.filter(takesTraffic).length < up) {
    const have = endpoints.length === 0 ? 'no endpoint' : told(endpoints);
    reasons.push(`${String(up)} wanted up, and there is ${have}${whyNot(status, service)}`);
  }
  // Nobody knows who is in the pool, so nobody can be said to be out of it.
  if (status.catalog === 'none') return nothingKnown;
  if (reasons.length === 0) return null;
  return [...reasons, ...(status.catalog === 'live' ? [] : ['etcd does not answer: this is what was known last'])].join(
    '; ',
  );
}

/** Whether there is an endpoint of this id, be it in the pool or on its way out. */
export function isSeen(status: DiscoverStatus, { service, down }: Pick<PoolWish, 'service' | 'down'>): boolean {
  return (
    down !== null &&
    status.listeners.some((one) => one.service === service && one.endpoints.some((endpoint) => isOf(endpoint, down)))
  );
}

/** @param isRendered for another proxy, of whose servers nothing is known */
function isUp({ status, weight }: EndpointStatus, isRendered: boolean): boolean {
  return weight > 0 && (isRendered || /^(UP|no check)\b/.test(status));
}

function isOf({ id }: EndpointStatus, wanted: string): boolean {
  return id === wanted || (id.startsWith(`${wanted}:`) && /^\d{1,5}$/.test(id.slice(wanted.length + 1)));
}

function told(endpoints: readonly EndpointStatus[]): string {
  return endpoints.map(({ id, status, check }) => `${id} ${status}${check === '' ? '' : ` (${check})`}`).join(', ');
}

/** Of the problems, those that name the service, and what is wrong with all. */
function whyNot(status: DiscoverStatus, service: string): string {
  const { problems } = status;
  const fault = status.fault === null ? '' : `; what is wanted is not what runs: ${status.fault}`;
  const own = problems.filter(({ key }) => key.startsWith(`${service}:`) || key.includes(`/${service}/`));
  return own.map(({ key, reason }) => `; ${printableKey(key)}: ${reason}`).join('') + fault;
}
