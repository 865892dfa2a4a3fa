import { parsePort } from '../../core/address.js';
import { isHost } from '../../core/host.js';
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
  if (isHost(host) && port.ok) return accept({ kind: 'tcp', host: host.replace(/^\[|\]$/g, ''), port: port.value });
  return reject(`${quoted(text)} is not a Docker host: give unix:///path or tcp://host:port`);
}

export function formatDockerHost(host: DockerHost): string {
  return host.kind === 'unix'
    ? `unix://${host.socketPath}`
    : `tcp://${host.host.includes(':') ? `[${host.host}]` : host.host}:${String(host.port)}`;
}
