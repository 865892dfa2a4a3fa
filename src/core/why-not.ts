import type { ContainerPort, ContainerSnapshot } from './container.js';
import type { Metadata, PortMetadata } from './metadata.js';
import type { RegistrationLimits } from './registration-limits.js';
import { printable } from './result.js';
import { doubtfulSkip, skip, type Skip } from './skip.js';

/** The label that the images of the pair carry; a container that has it is never registered. */
export const pairLabel = 'docker-discover.pair';

/** Which containers are meant. */
export interface ContainerPolicy {
  /** Only containers with this label, and this value of it if there is one, are registered; null: all. */
  readonly onlyLabel: { readonly name: string; readonly value: string | null } | null;
}

/** Why a container is left out as a whole; null where it is not. */
export function whyNot(
  { id, labels, status, health, beyond }: ContainerSnapshot,
  metadata: Metadata,
  policy: ContainerPolicy & { readonly limits: RegistrationLimits },
): Skip | null {
  if (!/^[0-9a-f]{64}$/.test(id)) return skip('name', 'its id is not of the form that Docker gives');
  if (beyond.labelBytes !== null)
    return doubtfulSkip(
      'limit',
      `its labels and environment variables have ${String(beyond.labelBytes)} bytes, more than ${String(policy.limits.labelBytes)} (MAX_LABEL_BYTES)`,
    );
  const role = labels.get(pairLabel);
  if (role !== undefined)
    return skip('pair', `it is part of the pair itself (label ${pairLabel}=${printable(role, 40)})`);
  if (metadata.ignoredBy !== null) return skip('ignored', `${metadata.ignoredBy} is set`);
  if (policy.onlyLabel !== null) {
    const { name, value } = policy.onlyLabel;
    const own = labels.get(name);
    if (own === undefined) return skip('only_label', `it has no label ${name}`);
    if (value !== null && own !== value) return skip('only_label', `its label ${name} is not ${value}`);
  }
  if (status !== 'running') return skip('not_running', `it is ${status}`);
  if (health === 'starting') return skip('health', 'its HEALTHCHECK has not passed yet');
  if (health === 'unhealthy') return skip('health', 'its HEALTHCHECK says unhealthy');
  return null;
}

/** Why there is nothing to register. Who has named the service, or its host, wants it to be there. */
export function whyNoPort(
  container: ContainerSnapshot,
  { isMeant }: Metadata,
  networkOwner: ContainerSnapshot | null,
): Skip | null {
  const leaveOut = isMeant ? doubtfulSkip : skip;
  const { hostNetwork, networkOf, ports } = container;
  if (networkOf !== null && networkOwner === null)
    return skip(
      'no_network',
      `it shares the network of container ${printable(networkOf.slice(0, 12), 12)}, which does not run`,
    );
  if (ports.length > 0 || networkOf !== null) return null;
  return leaveOut(
    'no_port',
    hostNetwork
      ? 'it is on the host network, and its image exposes no port; start it with --expose'
      : 'it publishes no port; start it with -p',
  );
}

/** Why the ports after its lowest are left out. */
export function whyTooMany(count: number, most: number): Skip {
  return doubtfulSkip(
    'limit',
    `it has more ports than ${String(most)} (MAX_PORTS); its ${String(count)} highest are left out`,
  );
}

/** Why one port is left out. */
export function whyNotPort({ protocol }: ContainerPort, metadata: PortMetadata): Skip | null {
  if (protocol !== 'tcp') return skip('not_tcp', `only TCP is proxied, and this is ${protocol.toUpperCase()}`);
  return metadata.ignoredBy === null ? null : skip('ignored', `${metadata.ignoredBy} is set`);
}
