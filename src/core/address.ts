import { accept, quoted, reject, type Parsed } from './result.js';

/** A TCP address. `host` is an IPv4 address, or an IPv6 address in its canonical short form without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
/** RFC 4291, 2.5.5.2, in canonical form; one group fewer is another kind of address. */
const mapped = /^::ffff:[0-9a-f]+:[0-9a-f]+$/;
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

export function isIPv4(text: string): boolean {
  return ipv4.test(text);
}

/** An IPv4 or IPv6 address (no brackets, no zone) → its canonical text. */
export function parseIp(text: string): Parsed<string> {
  if (isIPv4(text)) return accept(text);
  if (/^[0-9a-fA-F:.]{2,45}$/.test(text) && text.includes(':')) {
    // The WHATWG URL parser is the one IPv6 parser at hand that is pure, and it canonicalises as RFC 5952 asks.
    const url = `http://[${text}]/`;
    const canonical = URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
    if (canonical !== null && mapped.test(canonical))
      return reject(`${quoted(text)} is an IPv4 address in IPv6 clothes; write it as IPv4`);
    if (canonical !== null) return accept(canonical);
  }
  return reject(`${quoted(text)} is not an IP address`);
}

export function parsePort(text: string): Parsed<number> {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? accept(port) : reject(`${quoted(text)} is not a port (1 to 65535)`);
}

/** `10.1.2.3:80` or `[2001:db8::7]:80`. The host is required: HAProxy takes `:80` for "whatever the client dialled". */
export function parseAddress(text: string): Parsed<Address> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+)):([^:]*)$/.exec(text);
  if (match === null) return reject(`${quoted(text)} is not an address: ip:port or [ipv6]:port`);
  const host = parseIp(match[1] ?? match[2] ?? '');
  if (!host.ok) return host;
  if (isIPv4(host.value) !== (match[1] === undefined))
    return reject(`${quoted(text)}: brackets are for IPv6, and needed there`);
  if (isUnspecified(host.value)) return reject(`${quoted(text)}: no host can be reached at ${host.value}`);
  const port = parsePort(match[3] ?? '');
  return port.ok ? accept({ host: host.value, port: port.value }) : port;
}

export function formatAddress({ host, port }: Address): string {
  return `${isIPv4(host) ? host : `[${host}]`}:${String(port)}`;
}

export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

export function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}
