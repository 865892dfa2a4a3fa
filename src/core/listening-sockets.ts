import { isIPv4, isUnspecified, parseIp } from './address.js';

/** A socket that takes connections over TCP. */
export interface ListeningSocket {
  /** An IPv4 address, or an IPv6 address in its canonical short form. */
  readonly host: string;
  readonly port: number;
  /** The user who opened it. */
  readonly uid: number;
  readonly inode: string;
}

/** Those in `/proc/net/tcp` and `/proc/net/tcp6`. See proc_net_tcp in the kernel's documentation; state 0A is LISTEN. */
export function listeningSockets(tables: readonly string[]): ListeningSocket[] {
  return tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      const [, local = '', , state, , , , uid, , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      if (state !== '0A') return [];
      return [{ host: hostOf(address), port: Number.parseInt(port, 16), uid: Number(uid), inode }];
    }),
  );
}

/** Whether a socket at `port` of `host` (`*`: every IPv4 address) would get connections that this one gets. */
export function overlaps(
  { host, port }: { readonly host: string; readonly port: number },
  other: ListeningSocket,
): boolean {
  if (port !== other.port) return false;
  if (host === '::' || other.host === '::') return true;
  const isOf4 = host === '*' || isIPv4(host);
  if (isOf4 !== isIPv4(other.host)) return false;
  return host === '*' || isUnspecified(host) || isUnspecified(other.host) || host === other.host;
}

/** Words of 32 bits, each in the order of the machine's bytes. */
function hostOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const text = (bytes.join('').match(/.{4}/g) ?? []).join(':');
  const [, mapped] = /^(?:0000:){5}ffff:(.{4}:.{4})$/i.exec(text) ?? [];
  if (mapped !== undefined)
    return (mapped.replace(':', '').match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.');
  const ip = parseIp(text);
  return ip.ok ? ip.value : text;
}
