import { parsePort } from './address.js';
import type { ContainerSnapshot } from './container.js';
import type { Found, Misread } from './metadata.js';

/** What nginx-proxy would read, as settings of ours. */
export interface VirtualHost {
  /** The container port that it is about; null: all. */
  readonly port: number | null;
  /** By the name of our setting: `http_host`, `http_path`. */
  readonly settings: ReadonlyMap<string, Found>;
  readonly misread: readonly Misread[];
}

type Container = Pick<ContainerSnapshot, 'labels' | 'environment' | 'ports'>;

/** Of `SERVICE_HTTP_HOST`, `SERVICE_8000_HTTP_PATH` and the like: who has one means no other. */
const own = /^SERVICE_(?:\d{1,5}_)?HTTP_(?:HOST|PATH)$/i;

/**
 * Reads `VIRTUAL_HOST`, `VIRTUAL_PORT` and `VIRTUAL_PATH`, variables or labels, as nginx-proxy has them: without a port they are
 * about the only one that the container has, or about port 80. Null where they are not given, or ours are.
 */
export function virtualHostOf(container: Container): VirtualHost | null {
  const { labels, environment, ports } = container;
  const names = [...labels.keys(), ...environment.keys()];
  const host = find(container, 'VIRTUAL_HOST');
  if (host === null || names.some((name) => own.test(name))) return null;
  const [path, portGiven, proto] = ['VIRTUAL_PATH', 'VIRTUAL_PORT', 'VIRTUAL_PROTO'].map((name) =>
    find(container, name),
  );
  const misread: Misread[] = [];
  if (proto != null && proto.value !== 'http')
    misread.push({ ...proto, allowed: 'http: no other protocol is spoken to a container' });
  const settings = new Map([['http_host', host], ...(path == null ? [] : [['http_path', path] as const])]);
  const tcp = new Set(ports.filter(({ protocol }) => protocol === 'tcp').map(({ containerPort }) => containerPort));

  if (portGiven != null) {
    const port = parsePort(portGiven.value);
    if (port.ok) return { port: port.value, settings, misread };
    return {
      port: null,
      settings: new Map(),
      misread: [...misread, { ...portGiven, allowed: 'a port from 1 to 65535' }],
    };
  }
  if (tcp.size <= 1) return { port: null, settings, misread };
  if (tcp.has(80)) return { port: 80, settings, misread };
  const several = { ...host, allowed: 'with VIRTUAL_PORT beside it, because the container has several ports' };
  return { port: null, settings: new Map(), misread: [...misread, several] };
}

function find({ labels, environment }: Container, name: string): Found | null {
  const [label, variable] = [labels.get(name), environment.get(name)];
  if (label !== undefined && label !== '') return { source: `label ${name}`, value: label, forPort: false };
  if (variable !== undefined && variable !== '')
    return { source: `environment variable ${name}`, value: variable, forPort: false };
  return null;
}
