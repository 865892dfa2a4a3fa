import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { hostIpMissing, parseHostIp } from '../../../src/cli/host-ip.js';
import { accepted, reasonOf } from '../support/parsed.js';

const addressOf = (address: string, more: object): NetworkInterfaceInfo => ({
  address,
  family: 'IPv4',
  internal: false,
  netmask: '',
  mac: '',
  cidr: null,
  ...more,
});
const seen = {
  lo: [addressOf('127.0.0.1', { internal: true })],
  v6: [addressOf('2001:db8::9', { family: 'IPv6', scopeid: 0 })],
  eth0: [
    addressOf('10.170.71.226', {}),
    addressOf('fe80::1', { family: 'IPv6', scopeid: 2 }),
    addressOf('2001:db8::7', { family: 'IPv6', scopeid: 0 }),
  ],
  down: undefined,
};

const candidates = 'addresses seen from here: 2001:db8::9 (v6), 10.170.71.226 (eth0), 2001:db8::7 (eth0)';

test.each([
  ['10.170.71.226', '10.170.71.226'],
  [' 10.170.71.226 ', '10.170.71.226'],
  ['2001:DB8::7', '2001:db8::7'],
  ['127.0.0.1', '127.0.0.1'],
])('%j is an address of this host', (text, ip) => {
  expect(accepted(parseHostIp(text, seen))).toEqual({ ip, of: null });
});

test.each([
  ['', '"" is not an IP address, an interface or auto'],
  ['myhost', '"myhost" is not an IP address, an interface or auto'],
  ['10.170.71.226:80', '"10.170.71.226:80" is not an IP address, an interface or auto'],
  ['[2001:db8::7]', '"[2001:db8::7]" is not an IP address, an interface or auto'],
  ['10.170.71', '"10.170.71" is not an IP address, an interface or auto'],
  ['0.0.0.0', 'no other host can reach 0.0.0.0'],
  ['::', 'no other host can reach ::'],
])('%j is refused, and the host’s own addresses are offered', (text, reason) => {
  expect(reasonOf(parseHostIp(text, seen))).toBe(`${reason}; ${candidates}`);
});

test.each([
  ['eth0', '10.170.71.226'],
  ['v6', '2001:db8::9'],
])('the address of interface %s', (name, ip) => {
  expect(accepted(parseHostIp(name, seen))).toEqual({ ip, of: name });
});

test('an interface without an address is refused', () => {
  expect(reasonOf(parseHostIp('down', seen))).toBe(`interface down has no address; ${candidates}`);
});

test('a missing HOST_IP is told with what to give', () => {
  expect(hostIpMissing(seen)).toBe(
    `HOST_IP is not set: give the address at which client hosts reach this host, as -e HOST_IP=…; ${candidates}`,
  );
});

test('a host without an address says so', () => {
  expect(hostIpMissing({})).toContain('no address is seen from here');
});
