import { BlockList, isIPv4 } from 'node:net';

/** Where no endpoint may be, unless NETWORKS names it; written down a second time, and judged by Node. */
const special4 = new BlockList();
/** For itself: to Node, `::ffff:0:0/96` has every IPv4 address. */
const special6 = new BlockList();
for (const [first, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['168.63.129.16', 32],
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const)
  special4.addSubnet(first, bits, 'ipv4');
for (const [first, bits] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
] as const)
  special6.addSubnet(first, bits, 'ipv6');

/**
 * @param config haproxy.cfg
 * @param named what NETWORKS names of the special addresses
 * @throws where a server is at a special address that is not named
 */
export function refuseSpecial(config: string, named: (host: string) => boolean): void {
  for (const [line, bracketed, bare = ''] of config.matchAll(/^ +server \S+ (?:\[([^\]]*)\]|([^\s:]*)):\d+ .*$/gm)) {
    const host = bracketed ?? bare;
    const isSpecial = isIPv4(host) ? special4.check(host) : special6.check(host, 'ipv6');
    if (isSpecial && !named(host)) throw new Error(`haproxy.cfg: a server at a special address: ${line}`);
  }
}
