import { isIPv4, parseIp } from './address.js';
import { accept, quoted, reject, type Parsed } from './result.js';

/** Addresses that share their first bits. */
export interface Network {
  /** Canonical: `10.0.0.0/8`, `2001:db8::/32`. */
  readonly text: string;
  readonly isIPv4: boolean;
  /** Bits behind those that are shared. */
  readonly hostBits: bigint;
  /** The bits that are shared. */
  readonly shared: bigint;
}

/** Where no service of another host can be, and something of the client host's own, or of its cloud, may listen. */
const special: readonly { readonly network: Network; readonly what: string }[] = [
  { text: '0.0.0.0/8', what: 'the host itself' },
  { text: '127.0.0.0/8', what: 'loopback' },
  { text: '169.254.0.0/16', what: 'link-local, as the metadata of clouds are' },
  { text: '224.0.0.0/4', what: 'multicast' },
  { text: '255.255.255.255/32', what: 'broadcast' },
  // Of Azure, of Alibaba's cloud and of Oracle's: not link-local, and the same on every host of theirs.
  { text: '168.63.129.16/32', what: 'of the metadata of a cloud' },
  { text: '100.100.100.200/32', what: 'of the metadata of a cloud' },
  { text: '192.0.0.192/32', what: 'of the metadata of a cloud' },
  // Unspecified, loopback, and IPv4 addresses in the clothes that RFC 4291 gave up.
  { text: '::/96', what: 'loopback' },
  // IPv4 addresses in IPv6 clothes: they pass no grammar of an address, and if one did, it would be no way around the rows above.
  { text: '::ffff:0:0/96', what: 'an IPv4 address in IPv6 clothes' },
  // What a NAT64 makes IPv4 addresses of, those above too.
  { text: '64:ff9b::/96', what: 'an IPv4 address behind NAT64' },
  { text: '64:ff9b:1::/48', what: 'an IPv4 address behind NAT64' },
  { text: 'fe80::/10', what: 'link-local' },
  { text: 'ff00::/8', what: 'multicast' },
  // Of Amazon and of Google; elsewhere these are networks that nobody has.
  { text: 'fd00:ec2::/32', what: 'of the metadata of a cloud' },
  { text: 'fd20:ce::254/128', what: 'of the metadata of a cloud' },
].map(({ text, what }) => ({ network: known(text), what }));

/** `10.0.0.0/8, 2001:db8::/32, 192.168.1.7`: networks, and addresses for themselves, separated by commas. */
export function parseNetworks(text: string): Parsed<readonly Network[]> {
  const networks: Network[] = [];
  for (const part of text.split(',').map((word) => word.trim())) {
    const network = parseNetwork(part);
    if (!network.ok) return network;
    networks.push(network.value);
  }
  return accept(networks);
}

/**
 * Tells why no endpoint may be at an address, or null. What is special must be allowed by itself: a network that is larger than the
 * special one, such as `0.0.0.0/0`, does not mean it.
 *
 * @param allowed null: all that is not special
 */
export function whyNotIn(allowed: readonly Network[] | null): (ip: string) => string | null {
  return (ip) => {
    const own = known(ip);
    const rule = special.find(({ network }) => contains(network, own));
    const fitting = (allowed ?? []).filter((network) => contains(network, own));
    if (rule === undefined)
      return allowed === null || fitting.length > 0
        ? null
        : `${ip} is in no network that this host allows (NETWORKS); add its network there, or register it at another address`;
    if (fitting.some((network) => contains(rule.network, network))) return null;
    return `${ip} is ${rule.what} (${rule.network.text}), where this host uses no endpoint; register it at another address, or allow the network in NETWORKS`;
  };
}

/** Whether an address, in its canonical form, is in one of them. */
export function isWithin(networks: readonly Network[], ip: string): boolean {
  const own = known(ip);
  return networks.some((network) => contains(network, own));
}

export function formatNetworks(networks: readonly Network[]): string {
  return networks.map(({ text }) => text).join(',');
}

function contains(network: Network, other: Network): boolean {
  return (
    network.isIPv4 === other.isIPv4 &&
    network.hostBits >= other.hostBits &&
    network.shared === other.shared >> (network.hostBits - other.hostBits)
  );
}

function parseNetwork(text: string): Parsed<Network> {
  const otherwise = reject(
    `${quoted(text)} is not a network: give an address and the number of its bits that count, like 10.0.0.0/8 or 2001:db8::/32`,
  );
  const [ipText = '', bitsText, ...more] = text.split('/');
  const ip = parseIp(ipText);
  if (!ip.ok || more.length > 0) return otherwise;
  const width = widthOf(ip.value);
  const bits = bitsText === undefined ? width : /^(?:0|[1-9]\d{0,2})$/.test(bitsText) ? Number(bitsText) : Infinity;
  if (bits > width) return otherwise;
  const network = networkOf(ip.value, bits);
  if (network.shared << network.hostBits !== bitsOf(ip.value))
    return reject(`${quoted(text)} has bits behind the ${String(bits)} that count: give its first address`);
  return accept(network);
}

/** What was parsed before, or stands above. */
function known(text: string): Network {
  const [ip = '', bits] = text.split('/');
  return networkOf(ip, bits === undefined ? widthOf(ip) : Number(bits));
}

/** @param ip in its canonical form */
function networkOf(ip: string, bits: number): Network {
  const hostBits = BigInt(widthOf(ip) - bits);
  return { text: `${ip}/${String(bits)}`, isIPv4: isIPv4(ip), hostBits, shared: bitsOf(ip) >> hostBits };
}

function widthOf(ip: string): 32 | 128 {
  return isIPv4(ip) ? 32 : 128;
}

/** Of an address in its canonical form. */
function bitsOf(ip: string): bigint {
  if (isIPv4(ip)) return ip.split('.').reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
  const [head = '', tail] = ip.split('::');
  const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
