import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatAddress,
  isLoopback,
  isUnspecified,
  parseAddress,
  parseIp,
  parsePort,
} from '../../../src/core/address.js';
import { accepted, reasonOf } from '../support/parsed.js';

describe('an address', () => {
  test.each([
    ['10.170.71.226:49153', { host: '10.170.71.226', port: 49153 }],
    ['255.255.255.255:65535', { host: '255.255.255.255', port: 65535 }],
    ['[2001:db8::7]:1', { host: '2001:db8::7', port: 1 }],
    ['[2001:DB8:0:0:0:0:0:7]:80', { host: '2001:db8::7', port: 80 }],
    ['[::255.255.29.228]:80', { host: '::ffff:1de4', port: 80 }],
  ])('is read from %s', (text, address) => {
    expect(accepted(parseAddress(text))).toEqual(address);
  });

  test.each([
    ['', 'is not an address: ip:port or [ipv6]:port'],
    ['10.0.0.1', 'is not an address: ip:port or [ipv6]:port'],
    [':8000', 'is not an address: ip:port or [ipv6]:port'],
    ['2001:db8::7:80', 'is not an address: ip:port or [ipv6]:port'],
    ['http://10.0.0.1:80', 'is not an address: ip:port or [ipv6]:port'],
    ['web.example:80', '"web.example" is not an IP address'],
    ['10.0.0.256:80', '"10.0.0.256" is not an IP address'],
    ['10.0.0:80', '"10.0.0" is not an IP address'],
    ['010.0.0.1:80', '"010.0.0.1" is not an IP address'],
    [' 10.0.0.1:80', '" 10.0.0.1" is not an IP address'],
    ['[]:80', '"" is not an IP address'],
    ['[fe80::1%eth0]:80', '"fe80::1%eth0" is not an IP address'],
    ['[::ffff:10.0.0.1]:80', '"::ffff:10.0.0.1" is an IPv4 address in IPv6 clothes'],
    ['[1::2::3]:80', '"1::2::3" is not an IP address'],
    ['[10.0.0.1]:80', 'brackets are for IPv6, and needed there'],
    ['0.0.0.0:80', 'no host can be reached at 0.0.0.0'],
    ['[::]:80', 'no host can be reached at ::'],
    ['[0:0:0:0:0:0:0:0]:80', 'no host can be reached at ::'],
    ['10.0.0.1:', '"" is not a port (1 to 65535)'],
    ['10.0.0.1:0', '"0" is not a port (1 to 65535)'],
    ['10.0.0.1:65536', '"65536" is not a port (1 to 65535)'],
    ['10.0.0.1:080', '"080" is not a port (1 to 65535)'],
    ['10.0.0.1:80\n', '"80\\n" is not a port (1 to 65535)'],
  ])('is not read from %j, because it %s', (text, reason) => {
    expect(reasonOf(parseAddress(text))).toContain(reason);
  });

  test('of any IP and port survives being written and read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65535 }), (text, port) => {
        const host = accepted(parseIp(text));
        fc.pre(!isUnspecified(host));
        expect(accepted(parseAddress(formatAddress({ host, port })))).toEqual({ host, port });
      }),
    );
  });
});

test('an IP address in its canonical form is its own canonical form', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const canonical = accepted(parseIp(text));
      expect(accepted(parseIp(canonical))).toBe(canonical);
    }),
  );
});

test('a port is exactly the numbers from 1 to 65535', () => {
  fc.assert(
    fc.property(fc.integer({ min: -10, max: 70_000 }), (number) => {
      expect(parsePort(String(number)).ok).toBe(number >= 1 && number <= 65535);
    }),
  );
});

test.each([
  ['127.0.0.1', true],
  ['127.3.2.1', true],
  ['::1', true],
  ['128.0.0.1', false],
  ['::', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
