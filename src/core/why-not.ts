import type { ContainerPort, ContainerSnapshot, ContainerStatus } from './container.js';
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
  { id, name, labels, status, health, beyond }: ContainerSnapshot,
  metadata: Metadata,
  policy: ContainerPolicy & { readonly limits: RegistrationLimits },
): Skip | null {
  if (!/^[0-9a-f]{64}$/.test(id))
    return skip(
      'name',
      'its id is not of the form that Docker gives',
      'look at it with docker inspect: what answers is no Docker',
    );
  if (beyond.labelBytes !== null)
    return doubtfulSkip(
      'limit',
      `its labels and environment variables have ${String(beyond.labelBytes)} bytes, more than ${String(policy.limits.labelBytes)} (MAX_LABEL_BYTES)`,
      'give it fewer or shorter ones, or raise MAX_LABEL_BYTES of docker-register',
    );
  const role = labels.get(pairLabel);
  if (role !== undefined)
    return skip(
      'pair',
      `it is part of the pair itself (label ${pairLabel}=${printable(role, 40)})`,
      'nothing, unless it is no part of it: then start it without that label',
    );
  if (metadata.ignoredBy !== null) return skip('ignored', `${metadata.ignoredBy} is set`, withoutIt);
  if (policy.onlyLabel !== null) {
    const { name: label, value } = policy.onlyLabel;
    const own = labels.get(label);
    const mend = `start it with -l ${label}${value === null ? '' : `=${value}`}, or docker-register without ONLY_LABEL`;
    if (own === undefined) return skip('only_label', `it has no label ${label}`, mend);
    if (value !== null && own !== value) return skip('only_label', `its label ${label} is not ${value}`, mend);
  }
  if (status !== 'running') return skip('not_running', `it is ${status}`, mendOfStatus(status, name));
  if (health === 'starting')
    return skip(
      'health',
      'its HEALTHCHECK has not passed yet',
      `nothing: it is registered when it passes; ${whatItSays(name)}`,
    );
  if (health === 'unhealthy')
    return skip('health', 'its HEALTHCHECK says unhealthy', `mend what it checks; ${whatItSays(name)}`);
  return null;
}

const withoutIt = 'start the container without it';

function mendOfStatus(status: Exclude<ContainerStatus, 'running'>, name: string): string {
  switch (status) {
    case 'paused':
      return `docker unpause ${shown(name)}`;
    case 'restarting':
      return `it ends by itself: docker logs ${shown(name)} tells why`;
    case 'stopped':
      return `docker start ${shown(name)}`;
  }
}

function whatItSays(name: string): string {
  return `docker inspect -f '{{json .State.Health}}' ${shown(name)} shows what it says`;
}

/** Docker lets no other names be, but who knows what answers. */
function shown(name: string): string {
  return printable(name, 128);
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
      `docker start ${shown(networkOf.slice(0, 12))}, and then this one again`,
    );
  if (ports.length > 0 || networkOf !== null) return null;
  return hostNetwork
    ? leaveOut('no_port', 'it is on the host network, and its image exposes no port', 'start it with --expose PORT')
    : leaveOut('no_port', 'it publishes no port', 'start it with -p PORT');
}

/** Why the ports after its lowest are left out. */
export function whyTooMany(count: number, most: number): Skip {
  return doubtfulSkip(
    'limit',
    `it has more ports than ${String(most)} (MAX_PORTS); its ${String(count)} highest are left out`,
    'publish fewer, or raise MAX_PORTS of docker-register',
  );
}

/** Why one port is left out. */
export function whyNotPort({ protocol }: ContainerPort, metadata: PortMetadata): Skip | null {
  if (protocol !== 'tcp')
    return skip(
      'not_tcp',
      `only TCP is proxied, and this is ${protocol.toUpperCase()}`,
      'nothing: clients must know the address of its host',
    );
  return metadata.ignoredBy === null ? null : skip('ignored', `${metadata.ignoredBy} is set`, withoutIt);
}
