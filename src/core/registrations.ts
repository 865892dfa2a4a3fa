import { isIPv4, isLoopback, isUnspecified, type Address } from './address.js';
import { shortIdOf, type ContainerPort, type ContainerSnapshot, type PublishedPort } from './container.js';
import { serviceNameOf, type Naming } from './naming.js';
import { defaultAttributes, type EndpointState } from './attributes.js';
import type { Registration } from './service.js';

/** The label that the images of the pair carry; a container that has it is never registered. */
export const pairLabel = 'docker-discover.pair';

export interface RegistrationPolicy {
  /** Address of this host, as client hosts reach it. */
  readonly hostIp: string;
  readonly naming: Naming;
}

/** A container, or one port of it, that is left out on purpose. */
export interface Skipped {
  readonly containerPort: string | null;
  readonly reason: string;
}

export interface Registrations {
  readonly registrations: readonly Registration[];
  readonly skipped: readonly Skipped[];
}

/**
 * What one container contributes.
 *
 * @param stopping its stop was announced: its endpoints drain until it has died
 */
export function registrationsOf(
  container: ContainerSnapshot,
  policy: RegistrationPolicy,
  stopping: boolean,
): Registrations {
  const reason = whyNot(container);
  if (reason !== null) return skipWhole(reason);
  const service = serviceNameOf(container, policy.naming);
  if (!service.ok) return skipWhole(service.reason);

  const skipped: Skipped[] = [];
  const open: { containerPort: number; address: Address }[] = [];
  for (const port of container.ports) {
    const address = addressOf(port, container, policy.hostIp);
    if (typeof address === 'string') skipped.push({ containerPort: labelOf(port), reason: address });
    else open.push({ containerPort: port.containerPort, address });
  }
  if (open.length === 0 && skipped.length === 0) {
    return skipWhole(
      container.hostNetwork
        ? 'it is on the host network, and its image exposes no port; start it with --expose'
        : 'it publishes no port; start it with -p',
    );
  }

  const state: EndpointState = stopping ? 'drain' : 'ready';
  const shortId = shortIdOf(container.id);
  const registrations = open.map(({ containerPort, address }) => ({
    ...defaultAttributes,
    service: service.value,
    id: open.length === 1 ? shortId : `${shortId}:${String(containerPort)}`,
    address,
    servicePort: containerPort,
    others: new Map<string, string>(),
    state,
  }));
  return { registrations, skipped };
}

function skipWhole(reason: string): Registrations {
  return { registrations: [], skipped: [{ containerPort: null, reason }] };
}

function whyNot({ labels, status, health }: ContainerSnapshot): string | null {
  const role = labels.get(pairLabel);
  if (role !== undefined) return `it is part of the pair itself (label ${pairLabel}=${role})`;
  if (status !== 'running') return `it is ${status}`;
  if (health === 'starting') return 'its HEALTHCHECK has not passed yet';
  if (health === 'unhealthy') return 'its HEALTHCHECK says unhealthy';
  return null;
}

function labelOf(port: ContainerPort): string {
  return `${String(port.containerPort)}/${port.protocol}`;
}

/** Where client hosts reach the port, or the reason why they don't. */
function addressOf(port: ContainerPort, container: ContainerSnapshot, hostIp: string): Address | string {
  if (port.protocol !== 'tcp') return `only TCP is proxied, and this is ${port.protocol.toUpperCase()}`;
  if (container.hostNetwork) return { host: hostIp, port: port.containerPort };
  if (port.published.length === 0) return 'it is exposed, but not published; start the container with -p';
  const reachable = port.published.filter(({ hostIp: ip }) => !isLoopback(ip));
  const best = reachable.sort((a, b) => rankOf(a, hostIp) - rankOf(b, hostIp))[0];
  if (best === undefined) return 'it is published on loopback only, where no other host reaches it';
  return { host: isUnspecified(best.hostIp) ? hostIp : best.hostIp, port: best.hostPort };
}

/** A port is listed once for `0.0.0.0` and once for `::`; the one of HOST_IP's own family is meant, a named address last. */
function rankOf({ hostIp }: PublishedPort, ownIp: string): number {
  if (hostIp === ownIp) return 0;
  if (isUnspecified(hostIp)) return isIPv4(hostIp) === isIPv4(ownIp) ? 1 : 2;
  return 3;
}
