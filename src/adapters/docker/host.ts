import { parseIp, parsePort } from '../../core/address.js';
import { accept, quoted, reject, type Parsed } from '../../core/result.js';

/** Where the Docker engine listens. */
export type DockerHost =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** `unix:///var/run/docker.sock` or `tcp://10.1.2.3:2375` (port 2375 where none is given). */
export function parseDockerHost(text: string): Parsed<DockerHost> {
  const [, socketPath] = /^unix:\/\/(\/.+)$/.exec(text) ?? [];
  if (socketPath !== undefined) return accept({ kind: 'unix', socketPath });
  const [, host = '', portText = '2375'] = /^tcp:\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(text) ?? [];
  const port = parsePort(portText);
  const bare = host.replace(/^\[|\]$/g, '');
  const known = parseIp(bare).ok || /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(bare);
  if (known && port.ok) return accept({ kind: 'tcp', host: bare, port: port.value });
  return reject(`${quoted(text)} is not a Docker host: give unix:///path or tcp://host:port`);
}

export function formatDockerHost(host: DockerHost): string {
  return host.kind === 'unix' ? `unix://${host.socketPath}` : `tcp://${host.host}:${String(host.port)}`;
}
