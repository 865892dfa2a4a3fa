import { networkInterfaces } from 'node:os';
import { isUnspecified, parseIp } from '../core/address.js';
import { reject, type Parsed } from '../core/result.js';

/** The address at which client hosts reach this host. */
export function parseHostIp(text: string): Parsed<string> {
  const ip = parseIp(text.trim());
  if (!ip.ok) return reject(`${ip.reason}; ${candidates()}`);
  return isUnspecified(ip.value) ? reject(`no other host can reach ${ip.value}; ${candidates()}`) : ip;
}

export function hostIpMissing(): string {
  return `HOST_IP is not set: give the address at which client hosts reach this host, as -e HOST_IP=…; ${candidates()}`;
}

/** Addresses of the interfaces that are seen from here; in a container without --net host, that is the container. */
function candidates(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, own]) =>
    (own ?? [])
      .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
      .map(({ address }) => `${address} (${name})`),
  );
  return addresses.length === 0 ? 'no address is seen from here' : `addresses seen from here: ${addresses.join(', ')}`;
}
