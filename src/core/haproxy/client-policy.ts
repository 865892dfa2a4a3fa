import { parsePort } from '../address.js';
import { accept, quoted, reject, type Parsed } from '../result.js';
import { compareText, type Problem, type Service } from '../catalog.js';
import { whyNotIn, type Network } from '../networks.js';
import { parseServiceName } from '../service.js';
import { claimsOf, type Claim } from './claims.js';
import type { Server } from './listener.js';
import type { Barred } from './model.js';

/** What of the registry this client host serves, and on which ports. */
export interface ClientPolicy {
  /** Only these services; null: all. */
  readonly services: readonly ServicePattern[] | null;
  /** None of these, whatever else says so. */
  readonly denyServices: readonly ServicePattern[];
  /** Ports that a registration may open here, unless `denyPorts` has them too. */
  readonly ports: readonly PortRange[];
  readonly denyPorts: readonly PortRange[];
  /** Other ports on this host, by `service` or `service:service port`. */
  readonly map: ReadonlyMap<string, number>;
  /** Where endpoints may be, with those special addresses that it names; null: everywhere but at special addresses. */
  readonly networks: readonly Network[] | null;
  /** The zone of this host; null where zones do not matter. */
  readonly zone: string | null;
  /** So many endpoints of the own zone must take traffic for the others to be backups. */
  readonly zoneThreshold: number;
}

/** A service by name, where `*` stands for any letters and `?` for one. */
export interface ServicePattern {
  readonly matches: RegExp;
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** As without any setting; denied are ssh, Docker with Swarm, and etcd. */
export const defaultPolicy: ClientPolicy = {
  services: null,
  denyServices: [],
  ports: [{ first: 1, last: 65_535 }],
  denyPorts: [
    { first: 22, last: 22 },
    { first: 2375, last: 2377 },
    { first: 2379, last: 2380 },
  ],
  map: new Map(),
  networks: null,
  zone: null,
  zoneThreshold: 1,
};

export function isServed({ services, denyServices }: ClientPolicy, service: string): boolean {
  const isIn = (patterns: readonly ServicePattern[]): boolean => patterns.some(({ matches }) => matches.test(service));
  return (services === null || isIn(services)) && !isIn(denyServices);
}

/** What of a service comes to this host. */
export interface Admitted {
  /** The listeners that it asks for. */
  readonly claims: readonly Claim[];
  /** Endpoints at addresses that this host does not use: they are in no pool, and decide nothing. Sorted by key. */
  readonly forbidden: readonly Problem[];
}

/** Depends on nothing but policy and service, so that it need be asked but once. */
export function admittedBy(policy: ClientPolicy): (service: Service) => Admitted {
  const whyNot = whyNotIn(policy.networks);
  return (service) => {
    if (!isServed(policy, service.name)) return { claims: [], forbidden: [] };
    const forbidden: Problem[] = [];
    const endpoints = service.endpoints.filter(({ key, address }) => {
      const reason = whyNot(address.host);
      if (reason !== null) forbidden.push({ key, reason });
      return reason === null;
    });
    return { claims: claimsUnder(policy, { ...service, endpoints }), forbidden };
  };
}

/** Of all services together. */
export function allAdmitted(parts: readonly Admitted[]): Admitted {
  const claims: Claim[] = [];
  const forbidden: Problem[] = [];
  for (const part of parts) {
    claims.push(...part.claims);
    forbidden.push(...part.forbidden);
  }
  return { claims, forbidden: forbidden.sort((a, b) => compareText(a.key, b.key)) };
}

/** The port of a service on this host. */
export function portOn({ map }: Pick<ClientPolicy, 'map'>, service: string, servicePort: number): number {
  return map.get(`${service}:${String(servicePort)}`) ?? map.get(service) ?? servicePort;
}

function claimsUnder(policy: ClientPolicy, service: Service): Claim[] {
  return claimsOf(service, (name, servicePort) => portOn(policy, name, servicePort)).map((claim) => {
    const { listener } = claim;
    return { ...claim, listener: { ...listener, servers: inZone(policy, listener.servers) } };
  });
}

/** Servers of other zones are backups, as long as the own zone has enough that take traffic. */
function inZone({ zone, zoneThreshold }: ClientPolicy, servers: readonly Server[]): readonly Server[] {
  if (zone === null) return servers;
  const own = servers.filter((server) => server.zone === zone && server.weight > 0 && !server.backup);
  if (own.length < zoneThreshold) return servers;
  return servers.map((server) => (server.zone === zone ? server : { ...server, backup: true }));
}

/**
 * Tells why a registration may not open a port here, or null.
 *
 * @param reserved ports of our own, and what they are for
 */
export function whyBarredBy(
  { ports, denyPorts }: ClientPolicy,
  reserved: ReadonlyMap<number, string>,
): (port: number) => Barred | null {
  const isIn = (port: number, ranges: readonly PortRange[]): boolean =>
    ranges.some(({ first, last }) => port >= first && port <= last);
  const reasonOf = (port: number): string | null => {
    const owner = reserved.get(port);
    if (owner !== undefined) return `is reserved for the ${owner}`;
    if (isIn(port, denyPorts)) return 'is denied on this host (DENY_PORTS)';
    return isIn(port, ports) ? null : 'is not allowed on this host (PORTS)';
  };
  return (port) => {
    const reason = reasonOf(port);
    return reason === null ? null : { reason, byPolicy: true };
  };
}

/** `whoami,shop-*`: names with `*` and `?`, separated by commas. */
export function parseServicePatterns(text: string): Parsed<readonly ServicePattern[]> {
  const patterns: ServicePattern[] = [];
  for (const part of text.split(',').map((word) => word.trim())) {
    if (!/^[A-Za-z0-9._*?-]{1,128}$/.test(part))
      return reject(
        `${quoted(part)} is not the name of a service, with * and ? for any letters and for one; * alone is every service`,
      );
    const source = part.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
    patterns.push({ matches: new RegExp(`^${source}$`, 'i') });
  }
  return accept(patterns);
}

/** `80,443,8000-8999`, `all` or `none`. */
export function parsePortRanges(text: string): Parsed<readonly PortRange[]> {
  if (text.trim() === 'all') return accept(defaultPolicy.ports);
  if (text.trim() === 'none') return accept([]);
  const ranges: PortRange[] = [];
  for (const part of text.split(',').map((word) => word.trim())) {
    const [firstText = '', lastText = firstText, ...more] = part.split('-');
    const [first, last] = [parsePort(firstText), parsePort(lastText)];
    if (!first.ok || !last.ok || more.length > 0 || first.value > last.value)
      return reject(`${quoted(part)} is not a port or a range of ports, like 443 or 8000-8999, nor all or none`);
    ranges.push({ first: first.value, last: last.value });
  }
  return accept(ranges);
}

export function formatPortRanges(ranges: readonly PortRange[]): string {
  return ranges
    .map(({ first, last }) => (first === last ? String(first) : `${String(first)}-${String(last)}`))
    .join(',');
}

/** `whoami=9000,shop:80=8080`, or `none`. */
export function parsePortMap(text: string): Parsed<ReadonlyMap<string, number>> {
  const map = new Map<string, number>();
  if (text.trim() === 'none') return accept(map);
  for (const part of text.split(',').map((word) => word.trim())) {
    const [, service = '', servicePort, to = ''] = /^([^:=]+)(?::([^:=]+))?=([^:=]+)$/.exec(part) ?? [];
    const port = parsePort(to);
    if (!parseServiceName(service).ok || !port.ok || (servicePort !== undefined && !parsePort(servicePort).ok))
      return reject(`${quoted(part)} is not a mapping: give SERVICE=PORT, or SERVICE:SERVICE PORT=PORT`);
    const name = servicePort === undefined ? service : `${service}:${servicePort}`;
    if (map.has(name)) return reject(`${quoted(name)} is mapped twice`);
    map.set(name, port.value);
  }
  return accept(map);
}
