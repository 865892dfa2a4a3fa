import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIp } from '../../../src/core/address.js';
import { parseNetworks, whyNotIn } from '../../../src/core/networks.js';
import { accepted, reasonOf } from '../support/parsed.js';

const allows = (text: string | null, ip: string): boolean =>
  whyNotIn(text === null ? null : accepted(parseNetworks(text)))(ip) === null;

describe('networks', () => {
  test('are written with what they share, or are one address; separated by commas', () => {
    const networks = accepted(parseNetworks('10.0.0.0/8, 2001:DB8:0::/32,192.168.1.7,::1, 0.0.0.0/0'));
    expect(networks.map(({ text }) => text)).toEqual([
      '10.0.0.0/8',
      '2001:db8::/32',
      '192.168.1.7/32',
      '::1/128',
      '0.0.0.0/0',
    ]);
  });

  test.each([
    '',
    'all',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '::/129',
    '10.0.0.0/8,',
  ])('are not %j', (text) => {
    expect(reasonOf(parseNetworks(text))).toMatch(/ is not a network: give an address and .* like 10\.0\.0\.0\/8/);
  });

  test.each([
    ['10.1.0.0/8', 8],
    ['2001:db8::1/32', 32],
    ['192.168.1.7/0', 0],
  ])('do not begin in the middle: %s', (text, bits) => {
    expect(reasonOf(parseNetworks(text))).toBe(
      `"${text}" has bits behind the ${String(bits)} that count: give its first address`,
    );
  });
});

describe('without a setting', () => {
  test.each([
    ['10.1.2.3', true],
    ['198.18.0.20', true],
    ['192.168.1.1', true],
    ['100.64.0.1', true],
    ['8.8.8.8', true],
    ['2001:db8::7', true],
    ['fd00::7', true],
    ['169.253.255.255', true],
    ['169.254.0.0', false],
    ['169.254.169.254', false],
    ['169.255.0.0', true],
    ['126.255.255.255', true],
    ['127.0.0.1', false],
    ['127.255.255.255', false],
    ['128.0.0.0', true],
    ['0.0.0.0', false],
    ['0.0.0.1', false],
    ['223.255.255.255', true],
    ['224.0.0.1', false],
    ['239.255.255.255', false],
    ['240.0.0.1', true],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::7f00:1', false],
    ['fe7f::1', true],
    ['fe80::1', false],
    ['febf::1', false],
    ['fec0::1', true],
    ['ff02::1', false],
    ['fd00:ec2::254', false],
    ['fd20:ce::254', false],
    ['fd20:ce::253', true],
    ['168.63.129.16', false],
    ['168.63.129.17', true],
    ['100.100.100.200', false],
    ['100.100.100.100', true],
    ['192.0.0.192', false],
    ['192.0.0.191', true],
    ['64:ff9b::a9fe:a9fe', false],
    ['64:ff9b::1:0:0', true],
    ['64:ff9b:1::7f00:1', false],
    ['64:ff9b:1:ffff:ffff:ffff:ffff:ffff', false],
    ['64:ff9b:2::', true],
  ])('an endpoint at %s is used: %s', (ip, isUsed) => {
    expect(allows(null, ip)).toBe(isUsed);
  });

  test('IPv4 in IPv6 clothes does not come so far', () => {
    for (const ip of ['::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:7f00:1'])
      expect(reasonOf(parseIp(ip))).toContain('IPv4 address in IPv6 clothes');
    // Nor would it be used if it did.
    expect([allows(null, '::ffff:7f00:1'), allows('::/0', '::ffff:a9fe:a9fe')]).toEqual([false, false]);
    expect(allows(null, '::fffe:7f00:1')).toBe(true);
  });
});

describe('with networks', () => {
  test.each([
    ['10.0.0.0/8', '10.9.9.9', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '2001:db8::7', false],
    ['0.0.0.0/0', '2001:db8::7', false],
    ['::/0', '10.0.0.1', false],
    ['::/0', '2001:db8::7', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    // What is special is allowed by itself alone.
    ['0.0.0.0/0,::/0', '127.0.0.1', false],
    ['0.0.0.0/0,::/0', '::1', false],
    ['126.0.0.0/7', '127.0.0.1', false],
    ['127.0.0.0/8', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['127.0.0.0/8', '10.0.0.1', false],
    ['169.254.169.0/24', '169.254.169.254', true],
    ['169.254.169.0/24', '169.254.170.2', false],
    ['::1', '::1', true],
    ['fd00:ec2::254', 'fd00:ec2::254', true],
    ['fd00::/8', 'fd00:ec2::254', false],
  ])('%s: an endpoint at %s is used: %s', (text, ip, isUsed) => {
    expect(allows(text, ip)).toBe(isUsed);
  });

  test('the reason names the address, the rule and the mend', () => {
    const networks = accepted(parseNetworks('10.0.0.0/8'));
    expect(whyNotIn(networks)('192.0.2.1')).toBe(
      '192.0.2.1 is in no network that this host allows (NETWORKS); add its network there, or register it at another address',
    );
    expect(whyNotIn(networks)('169.254.169.254')).toMatch(
      /^169\.254\.169\.254 is link-local.*\(169\.254\.0\.0\/16\).*NETWORKS$/,
    );
  });

  test('they have the addresses that Node’s BlockList says', () => {
    // Few values to a part, so that many addresses lie in many networks; none of them in a special one.
    const four = fc
      .tuple(
        fc.constantFrom(1, 2, 3, 128, 192),
        ...(Array(3).fill(fc.constantFrom(0, 1, 127, 128, 255)) as [
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
        ]),
      )
      .map((octets) => octets.join('.'));
    const six = fc
      .tuple(
        fc.constantFrom('2001', '2002', '2003', '3fff'),
        fc.array(fc.constantFrom('0', '1', '8000', 'ffff'), { minLength: 7, maxLength: 7 }),
      )
      .map(([first, rest]) => accepted(parseIp([first, ...rest].join(':'))));
    const ips = fc.oneof(four, six);
    fc.assert(
      fc.property(ips, ips, fc.double({ min: 0, max: 1, noNaN: true }), (base, ip, share) => {
        const width = isIPv4(base) ? 32 : 128;
        const bits = Math.round(share * width);
        const first = firstOf(base, bits);
        const list = new BlockList();
        list.addSubnet(first, bits, isIPv4(base) ? 'ipv4' : 'ipv6');
        expect(allows(`${first}/${String(bits)}`, ip)).toBe(
          isIPv4(base) === isIPv4(ip) && list.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6'),
        );
        expect(allows(`${first}/${String(bits)}`, base)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The first address of a network, by another way than the code: as a text of bits. */
function firstOf(ip: string, bits: number): string {
  const [parts, size, base] = isIPv4(ip) ? [ip.split('.'), 8, 10] : [groupsOf(ip), 16, 16];
  const text = parts.map((part) => parseInt(part, base).toString(2).padStart(size, '0')).join('');
  const cut = text.slice(0, bits).padEnd(text.length, '0');
  const values = parts.map((_part, at) => parseInt(cut.slice(at * size, (at + 1) * size), 2).toString(base));
  return accepted(parseIp(values.join(isIPv4(ip) ? '.' : ':')));
}

function groupsOf(ip: string): string[] {
  const [head = '', tail = ''] = ip.split('::');
  const [first, last] = [head, tail].map((text) => text.split(':').filter((group) => group !== ''));
  const missing = 8 - (first?.length ?? 0) - (last?.length ?? 0);
  return [...(first ?? []), ...Array<string>(missing).fill('0'), ...(last ?? [])];
}
