import { expect, test } from 'vitest';
import { isHost } from '../../../src/core/host.js';

test.each(['etcd', 'etcd-1.example.com', 'my_host', 'a.b.', '10.0.0.1', '[2001:db8::1]', '1and1.example'])(
  '%s is a host',
  (text) => {
    expect(isHost(text)).toBe(true);
  },
);

test.each([
  ['nothing', ''],
  ['a mistyped address', '10.0.0.256'],
  ['half an address', '10.0.0'],
  ['a number', '42'],
  ['IPv6 without brackets', '2001:db8::1'],
  ['IPv4 in brackets', '[10.0.0.1]'],
  ['a name in brackets', '[etcd]'],
  ['an open bracket', '[2001:db8::1'],
  ['a name that starts with a stroke', '-etcd'],
  ['an empty part', 'a..b'],
  ['white space', 'et cd'],
  ['a line break', 'etcd\n'],
  ['a name that is too long', `${'a.'.repeat(126)}bc`],
])('%s is none', (_what, text) => {
  expect(isHost(text)).toBe(false);
});
