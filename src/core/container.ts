import type { HealthCheck } from './healthcheck.js';
import { accept, reject, type Parsed } from './result.js';

/** Our immutable view of one container, as `docker inspect` tells it. */
export interface ContainerSnapshot {
  /** 64 hex digits. */
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** The image reference as the user gave it. */
  readonly image: string;
  /** `sha256:…` */
  readonly imageId: string;
  readonly status: ContainerStatus;
  /** When this run of it began, as Docker writes it; another run has another. */
  readonly startedAt: string;
  /** Result of Docker's own HEALTHCHECK; `none` where the container has none. */
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy';
  /** What tells that; null where it has none. */
  readonly healthCheck: HealthCheck | null;
  readonly hostNetwork: boolean;
  /** Id or name of the container whose network it shares (`--network container:x`), or null. */
  readonly networkOf: string | null;
  /** Its addresses by the name of the network, in the order in which Docker tells them. */
  readonly networks: ReadonlyMap<string, readonly string[]>;
  readonly labels: ReadonlyMap<string, string>;
  readonly environment: ReadonlyMap<string, string>;
  readonly ports: readonly ContainerPort[];
  /** What of it was too much to be taken along: so many ports, and all labels and variables where they have so many bytes. */
  readonly beyond: { readonly ports: number; readonly labelBytes: number | null };
  /** Number of the signal that announces a stop (15 unless the image or user says otherwise). */
  readonly stopSignal: number;
}

/** `restarting`: it ended, and Docker starts it again in a moment. */
export type ContainerStatus = 'running' | 'paused' | 'restarting' | 'stopped';

export interface ContainerPort {
  readonly containerPort: number;
  readonly protocol: string;
  /** Where Docker publishes it on the host; empty for a port that is exposed only. */
  readonly published: readonly PublishedPort[];
}

export interface PublishedPort {
  /** `0.0.0.0`, `::`, or the one host address that the user named. */
  readonly hostIp: string;
  readonly hostPort: number;
}

/** The first 12 hex digits, as `docker ps` shows them. */
export function shortIdOf(id: string): string {
  return id.slice(0, 12);
}

/** As a registration is called that its container's id names, or one of the ports of a container. */
const containerForm = /^([0-9a-f]{12})(?::\d{1,5})?$/;

/** The short id of the container that a registration's id names by its form; null where that is none of a container. */
export function containerNamedBy(registrationId: string): string | null {
  return containerForm.exec(registrationId)?.[1] ?? null;
}

/** The running container whose network this one shares, by id or name as Docker tells it. */
export function networkOwnerOf(
  { networkOf }: ContainerSnapshot,
  containers: readonly ContainerSnapshot[],
): ContainerSnapshot | null {
  if (networkOf === null) return null;
  const owner = containers.find(({ id, name }) => id === networkOf || name === networkOf);
  return owner?.status === 'running' ? owner : null;
}

/** A name, or an id or its beginning, by Docker's own grammar: anything else would be another question to it. */
export function parseContainer(text: string): Parsed<string> {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text)
    ? accept(text)
    : reject('is no name or id of a container: letters, digits, "_", "." and "-", starting with a letter or digit');
}
