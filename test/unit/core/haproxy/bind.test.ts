import { describe, expect, test } from 'vitest';
import { formatBind, parseBindAddress, parseBindHost } from '../../../../src/core/haproxy/bind.js';
import { accepted, reasonOf } from '../../support/parsed.js';

describe('a bind address', () => {
  test.each([
    ['*:1936', { host: '*', port: 1936 }, '*:1936'],
    ['127.0.0.1:1936', { host: '127.0.0.1', port: 1936 }, '127.0.0.1:1936'],
    ['[::]:1936', { host: '::', port: 1936 }, '[::]:1936 v4v6'],
    ['[2001:DB8::7]:80', { host: '2001:db8::7', port: 80 }, '[2001:db8::7]:80'],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }, '0.0.0.0:80'],
  ])('is read from %s and stands in haproxy.cfg', (text, address, written) => {
    expect(accepted(parseBindAddress(text))).toEqual(address);
    expect(formatBind(address)).toBe(written);
  });

  test.each([
    ['', 'is not a bind address and port: give *:1936 or ip:1936'],
    ['1936', 'is not a bind address and port'],
    [':1936', 'is not a bind address and port'],
    ['localhost:1936', 'is not a bind address and port'],
    ['10.0.0.256:1936', 'is not a bind address and port'],
    ['*:', '"" is not a port'],
    ['*:0', '"0" is not a port'],
    ['*:http', '"http" is not a port'],
    ['*:1936 ssl', '"1936 ssl" is not a port'],
    // Without brackets nobody knows where the address ends.
    ['2001:db8::7:1936', 'is not a bind address and port'],
    ['[10.0.0.1]:1936', 'is not a bind address and port'],
  ])('is not read from %j', (text, reason) => {
    expect(reasonOf(parseBindAddress(text))).toContain(reason);
  });
});

describe('a host to bind', () => {
  test.each([
    ['*', '*'],
    ['10.0.0.1', '10.0.0.1'],
    ['::', '::'],
    ['[::]', '::'],
    ['2001:DB8::7', '2001:db8::7'],
  ])('may be %s', (text, host) => {
    expect(accepted(parseBindHost(text))).toBe(host);
  });

  test.each(['', 'eth0', '**', '10.0.0', '*:80', '[::'])('may not be %j', (text) => {
    expect(reasonOf(parseBindHost(text))).toContain('is not a bind address: give * or an IP address');
  });
});
