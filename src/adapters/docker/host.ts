import { parsePort } from '../../core/address.js';
import { isHost } from '../../core/host.js';
import { accept, quoted, reject, type Parsed } from '../../core/result.js';

/** What DOCKER_HOST says; a port of null is the usual one. */
export type DockerUrl =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number | null };

/** Where the Docker engine listens, and how it is spoken to. */
export type DockerHost =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: DockerTls | null };

/** All in PEM form. */
export interface DockerTls {
  /** Of those that may have signed the engine's certificate. */
  readonly ca: string;
  /** What is shown to the engine. */
  readonly certificate: string;
  readonly key: string;
}

/** `unix:///var/run/docker.sock` or `tcp://10.1.2.3:2375`. */
export function parseDockerHost(text: string): Parsed<DockerUrl> {
  const [, socketPath] = /^unix:\/\/(\/.+)$/.exec(text) ?? [];
  if (socketPath !== undefined) return accept({ kind: 'unix', socketPath });
  const [, host = '', portText] = /^tcp:\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(text) ?? [];
  const port = portText === undefined ? accept(null) : parsePort(portText);
  if (isHost(host) && port.ok) return accept({ kind: 'tcp', host: host.replace(/^\[|\]$/g, ''), port: port.value });
  return reject(`${quoted(text)} is not a Docker host: give unix:///path or tcp://host:port`);
}

/** With the port that Docker has for it, with TLS or without. */
export function dockerHostAt(url: DockerUrl, tls: DockerTls | null): DockerHost {
  return url.kind === 'unix' ? url : { ...url, port: url.port ?? (tls === null ? 2375 : 2376), tls };
}

export function formatDockerHost(host: DockerHost): string {
  return host.kind === 'unix'
    ? `unix://${host.socketPath}`
    : `tcp://${host.host.includes(':') ? `[${host.host}]` : host.host}:${String(host.port)}`;
}
