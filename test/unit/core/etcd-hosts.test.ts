import { expect, test } from 'vitest';
import { parseEtcdHosts } from '../../../src/core/etcd-hosts.js';
import { accepted, reasonOf } from '../support/parsed.js';

test.each([
  ['10.0.0.10', ['http://10.0.0.10:2379']],
  ['10.0.0.10:4001', ['http://10.0.0.10:4001']],
  ['etcd', ['http://etcd:2379']],
  ['etcd-1.example.com:2379', ['http://etcd-1.example.com:2379']],
  ['http://10.0.0.10', ['http://10.0.0.10:2379']],
  ['https://etcd.example.com:443/', ['https://etcd.example.com:443']],
  ['[2001:db8::1]', ['http://[2001:db8::1]:2379']],
  ['http://[2001:db8::1]:4001', ['http://[2001:db8::1]:4001']],
  ['10.0.0.10, 10.0.0.11:2380,etcd', ['http://10.0.0.10:2379', 'http://10.0.0.11:2380', 'http://etcd:2379']],
  ['etcd,etcd:2379', ['http://etcd:2379']],
])('%j names the members', (text, urls) => {
  expect(accepted(parseEtcdHosts(text))).toEqual(urls);
});

test.each([
  ['', '"" has an empty part; give host, host:port or URL, several separated by commas'],
  ['10.0.0.10,', '"10.0.0.10," has an empty part'],
  ['a,,b', '"a,,b" has an empty part'],
  ['10.0.0.256', '"10.0.0.256" is not an etcd host; give host, host:port or URL (IPv6 in brackets)'],
  ['10.0.0', '"10.0.0" is not an etcd host'],
  ['etcd:', '"etcd:": "" is not a port (1 to 65535)'],
  ['etcd:http', '"etcd:http": "http" is not a port (1 to 65535)'],
  ['etcd:70000', '"etcd:70000": "70000" is not a port (1 to 65535)'],
  ['2001:db8::1', '"2001:db8::1" is not an etcd host'],
  ['[10.0.0.10]:2379', '"[10.0.0.10]:2379" is not an etcd host'],
  ['[etcd]:2379', '"[etcd]:2379" is not an etcd host'],
  ['ftp://etcd', '"ftp://etcd" is not an etcd host'],
  ['http://', '"http://" is not an etcd host'],
  ['http://etcd:2379/v3', '"http://etcd:2379/v3" is not an etcd host'],
  ['-etcd', '"-etcd" is not an etcd host'],
  ['et cd', '"et cd" is not an etcd host'],
  ['etcd\n10.0.0.1', '"etcd\\n10.0.0.1" is not an etcd host'],
  ['http://a,https://b', '"http://a,https://b" mixes http and https; all members must have the same'],
  ['a,https://b', '"a,https://b" mixes http and https; all members must have the same'],
])('%j is refused with what to give', (text, reason) => {
  expect(reasonOf(parseEtcdHosts(text))).toContain(reason);
});
