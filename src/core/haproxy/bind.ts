import { isIPv4, parseIp, parsePort } from '../address.js';
import { accept, quoted, reject, type Parsed } from '../result.js';

/** Where HAProxy listens. `host` is `*` (every IPv4 address), an IPv4 address, or an IPv6 address without brackets. */
export interface BindAddress {
  readonly host: string;
  readonly port: number;
}

/** `*`, an IPv4 address, or an IPv6 address (`::` is every address, IPv4 too). */
export function parseBindHost(text: string): Parsed<string> {
  if (text === '*') return accept(text);
  const ip = parseIp(text.replace(/^\[(.*)\]$/, '$1'));
  return ip.ok ? ip : reject(`${quoted(text)} is not a bind address: give * or an IP address`);
}

/** `*:1936`, `127.0.0.1:1936` or `[::]:1936`. */
export function parseBindAddress(text: string): Parsed<BindAddress> {
  const at = text.lastIndexOf(':');
  const hostText = text.slice(0, Math.max(at, 0));
  const host = parseBindHost(hostText);
  const bracketed = hostText.startsWith('[');
  if (!host.ok || bracketed !== host.value.includes(':')) {
    return reject(`${quoted(text)} is not a bind address and port: give *:1936 or ip:1936, with IPv6 in brackets`);
  }
  const port = parsePort(text.slice(at + 1));
  return port.ok ? accept({ host: host.value, port: port.value }) : port;
}

/** As it stands behind `bind` in haproxy.cfg. */
export function formatBind({ host, port }: BindAddress): string {
  if (host === '*' || isIPv4(host)) return `${host}:${String(port)}`;
  // `[::]` alone would be IPv6 only, or not, by a sysctl of the machine; say it.
  return `[${host}]:${String(port)}${host === '::' ? ' v4v6' : ''}`;
}
