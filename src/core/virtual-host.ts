import { parsePort } from './address.js';
import type { ContainerSnapshot } from './container.js';
import type { Found, Misread } from './found.js';

/** What nginx-proxy would read, as settings of ours. */
export interface VirtualHost {
  /** The container port that it is about; null: all. */
  readonly port: number | null;
  /** By the name of our setting: `http_host`, `http_path`. Empty where it is about none. */
  readonly settings: ReadonlyMap<string, Found>;
  readonly misread: readonly Misread[];
}

type Container = Pick<ContainerSnapshot, 'labels' | 'environment' | 'ports'>;

/**
 * Reads `VIRTUAL_HOST`, `VIRTUAL_PORT` and `VIRTUAL_PATH`, variables or labels, as nginx-proxy has them: without a port they are
 * about the only one that the container has, or about port 80. A setting of ours goes before the one that it means, for whatever
 * port it is. Null where none is given.
 */
export function virtualHostOf(container: Container): VirtualHost | null {
  const several = find(container, 'VIRTUAL_HOST_MULTIPORTS');
  const multiports = several === null ? [] : [{ ...several, allowed: 'nothing: see SERVICE_<port>_HTTP_HOST' }];
  const host = find(container, 'VIRTUAL_HOST');
  if (host === null) return multiports.length === 0 ? null : nothing(multiports);

  const path = find(container, 'VIRTUAL_PATH');
  const proto = find(container, 'VIRTUAL_PROTO');
  const misread: Misread[] = [...multiports];
  if (proto !== null && proto.value !== 'http')
    misread.push({ ...proto, allowed: 'http: no other protocol is spoken to a container' });
  const settings = new Map([
    ...(isGiven(container, 'HTTP_HOST') ? [] : [['http_host', host] as const]),
    ...(path === null || isGiven(container, 'HTTP_PATH') ? [] : [['http_path', path] as const]),
  ]);
  const about = portOf(container, host);
  return 'allowed' in about ? nothing([...misread, about]) : { port: about.port, settings, misread };
}

/** Which container port is meant, or why that is not to be told. */
function portOf(container: Container, host: Found): { readonly port: number | null } | Misread {
  const tcp = container.ports.filter(({ protocol }) => protocol === 'tcp');
  const published = tcp.filter((port) => port.published.length > 0);
  const ports = new Set((published.length > 0 ? published : tcp).map(({ containerPort }) => containerPort));
  const known = [...ports].join(', ');
  const given = find(container, 'VIRTUAL_PORT');
  if (given !== null) {
    const port = parsePort(given.value);
    if (!port.ok) return { ...given, allowed: 'a port from 1 to 65535' };
    // One that shares the network of another has no port of its own.
    if (ports.size === 0 || ports.has(port.value)) return { port: port.value };
    return { ...given, allowed: `a port of the container that can be registered: ${known}` };
  }
  if (ports.size <= 1) return { port: null };
  if (ports.has(80)) return { port: 80 };
  return { ...host, allowed: `with VIRTUAL_PORT beside it, because the container has several ports: ${known}` };
}

function nothing(misread: readonly Misread[]): VirtualHost {
  return { port: null, settings: new Map(), misread };
}

/** Whether a setting of ours is given for any port: `SERVICE_HTTP_HOST`, `SERVICE_8000_http_host`. */
function isGiven({ labels, environment }: Container, key: string): boolean {
  return [...labels, ...environment].some(([name, value]) => {
    const [, own] = /^SERVICE_(?:\d{1,5}_)?(.*)$/.exec(name) ?? [];
    return value !== '' && own?.toUpperCase() === key;
  });
}

function find({ labels, environment }: Container, name: string): Found | null {
  const [label, variable] = [labels.get(name), environment.get(name)];
  if (label !== undefined && label !== '') return { source: `label ${name}`, value: label, forPort: false };
  if (variable !== undefined && variable !== '')
    return { source: `environment variable ${name}`, value: variable, forPort: false };
  return null;
}
