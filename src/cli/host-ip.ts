import { readFileSync } from 'node:fs';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { isUnspecified, parseIp } from '../core/address.js';
import { defaultInterfaceOf } from '../core/default-route.js';
import { accept, quoted, reject, type Parsed } from '../core/result.js';

type Interfaces = ReturnType<typeof networkInterfaces>;
type Usable = ReadonlyMap<string, readonly NetworkInterfaceInfo[]>;

/** The address at which client hosts reach this host. */
export interface HostIp {
  readonly ip: string;
  /** The interface that was asked for it, which in a container is the host's only with the host's network. */
  readonly of: string | null;
}

/** An address, the name of an interface, or `auto` for that of the default route. */
export function parseHostIp(text: string, seen: Interfaces = networkInterfaces()): Parsed<HostIp> {
  const word = text.trim();
  const own = usable(seen);
  if (word === 'auto') return ofDefaultRoute(own);
  if (own.has(word)) return ofInterface(word, own);
  const ip = parseIp(word);
  if (!ip.ok) return reject(`${quoted(word)} is not an IP address, an interface or auto; ${candidates(own)}`);
  return isUnspecified(ip.value)
    ? reject(`no other host can reach ${ip.value}; ${candidates(own)}`)
    : accept({ ip: ip.value, of: null });
}

export function hostIpMissing(seen: Interfaces = networkInterfaces()): string {
  return `HOST_IP is not set: give the address at which client hosts reach this host, as -e HOST_IP=…; ${candidates(usable(seen))}`;
}

function ofDefaultRoute(own: Usable): Parsed<HostIp> {
  const name = defaultInterfaceOf({ ipv4: tableOf('route'), ipv6: tableOf('ipv6_route') });
  return name === null
    ? reject(`there is no default route; give an address; ${candidates(own)}`)
    : ofInterface(name, own);
}

function ofInterface(name: string, own: Usable): Parsed<HostIp> {
  const addresses = own.get(name) ?? [];
  const best = addresses.find(({ family }) => family === 'IPv4') ?? addresses[0];
  return best === undefined
    ? reject(`interface ${name} has no address; ${candidates(own)}`)
    : accept({ ip: best.address, of: name });
}

/** Addresses by interface, without those that hold on its own link only. */
export function usable(seen: Interfaces): Usable {
  return new Map(
    Object.entries(seen).map(([name, own]) => [
      name,
      (own ?? []).filter((address) => address.family === 'IPv4' || address.scopeid === 0),
    ]),
  );
}

function tableOf(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'utf8');
  } catch {
    // Without IPv6 there is no such table.
    return '';
  }
}

/** Addresses of the interfaces that are seen from here; in a container without --net host, that is the container. */
function candidates(usableOnes: Usable): string {
  const addresses = [...usableOnes].flatMap(([name, own]) =>
    own.filter(({ internal }) => !internal).map(({ address }) => `${address} (${name})`),
  );
  return addresses.length === 0 ? 'no address is seen from here' : `addresses seen from here: ${addresses.join(', ')}`;
}
