import { isIPv4, isLoopback, isUnspecified, parseIp, type Address } from './address.js';
import type { ContainerPort, ContainerSnapshot, PublishedPort } from './container.js';
import { printable } from './result.js';
import { doubtfulSkip, skip, type Skip } from './skip.js';

type AddressOrSkip = { readonly ok: true; readonly value: Address } | Skip;

/** Which addresses are registered. */
export interface AddressPolicy {
  /** Address of this host, as client hosts reach it. */
  readonly hostIp: string;
  /** The containers' own addresses instead, where client hosts reach those; of this network, or of the only one. */
  readonly internal: { readonly network: string | null } | null;
}

/** Where client hosts reach a port, or the reason why they don't. */
export function addressOf(port: ContainerPort, container: ContainerSnapshot, policy: AddressPolicy): AddressOrSkip {
  if (container.hostNetwork) return found({ host: policy.hostIp, port: port.containerPort });
  return policy.internal === null
    ? publishedAddressOf(port, policy.hostIp)
    : ownAddressOf(port.containerPort, container, policy.internal.network);
}

function publishedAddressOf({ containerPort, published }: ContainerPort, hostIp: string): AddressOrSkip {
  const port = String(containerPort);
  if (published.length === 0)
    return skip('not_published', 'it is exposed, but not published', `start the container with -p ${port}`);
  const reachable = published.filter(({ hostIp: ip }) => !isLoopback(ip));
  if (reachable.length === 0)
    return doubtfulSkip(
      'loopback',
      'it is published on loopback only, where no other host reaches it',
      `publish it without an address, -p ${port}, or on that of HOST_IP, -p ${bracketed(hostIp)}::${port}`,
    );
  // Every address of the other family is not HOST_IP, though it is every address.
  const own = reachable.filter(({ hostIp: ip }) => !isUnspecified(ip) || isIPv4(ip) === isIPv4(hostIp));
  const best = [...own].sort((a, b) => rankOf(a, hostIp) - rankOf(b, hostIp) || a.hostPort - b.hostPort)[0];
  if (best === undefined) {
    const [is, other] = isIPv4(hostIp) ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6'];
    return doubtfulSkip(
      'wrong_family',
      `it is published for ${is} only, and HOST_IP is ${other}`,
      `publish it without an address, -p ${port}, or give docker-register a HOST_IP that is ${is}`,
    );
  }
  return found({ host: isUnspecified(best.hostIp) ? hostIp : best.hostIp, port: best.hostPort });
}

/** HOST_IP itself goes before every address, and an address of another name comes last. */
function rankOf({ hostIp }: PublishedPort, ownIp: string): number {
  if (hostIp === ownIp) return 0;
  return isUnspecified(hostIp) ? 1 : 2;
}

function ownAddressOf(port: number, { name, networks }: ContainerSnapshot, network: string | null): AddressOrSkip {
  const names = [...networks.keys()];
  const chosen = network ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined)
    return doubtfulSkip(
      'no_network',
      names.length === 0 ? 'it is on no network' : `it is on several networks: ${shown(names)}`,
      names.length === 0
        ? 'start it with --network'
        : 'name the network of client hosts by INTERNAL of docker-register',
    );
  const address = networks.get(chosen);
  if (address === undefined)
    return doubtfulSkip(
      'no_network',
      `it is not on network ${shown([chosen])}, but on ${shown(names) || 'none'}`,
      `docker network connect ${shown([chosen])} ${printable(name, 128)}`,
    );
  const host = parseIp(address[0] ?? '');
  return host.ok
    ? found({ host: host.value, port })
    : doubtfulSkip(
        'no_network',
        `it has no address on network ${shown([chosen])}`,
        `docker network inspect ${shown([chosen])} shows who has one there`,
      );
}

function bracketed(ip: string): string {
  return isIPv4(ip) ? ip : `[${ip}]`;
}

/** Names of networks, for a message. */
function shown(names: readonly string[]): string {
  return printable(names.join(', '), 200);
}

function found(value: Address): AddressOrSkip {
  return { ok: true, value };
}
