import { expect, test } from 'vitest';
import { judgeHostIp, type HostIpFacts } from '../../../../src/core/doctor/host-ip.js';

const own = new Map([
  ['lo', ['127.0.0.1', '::1']],
  ['eth0', ['10.0.0.5']],
]);

test.each<[string, HostIpFacts['network'], string, RegExp]>([
  ['10.0.0.5', 'of the host', 'ok', /an address of eth0/],
  ['10.0.0.6', 'of the host', 'warning', /no address of this host.*seen from here: 10\.0\.0\.5 \(eth0\)/],
  ['127.0.0.1', 'of the host', 'warning', /loopback/],
  ['::1', null, 'warning', /loopback/],
  ['10.0.0.5', 'of a container', 'failed', /of this container.*give the address at which client hosts/],
  ['10.0.0.6', 'of a container', 'not checked', /not seen from this container/],
  ['10.0.0.5', null, 'not checked', /not seen from this container/],
])('%s, where the network seen is that %j', (ip, network, result, text) => {
  const finding = judgeHostIp({ ip, own, network });
  expect(finding.result).toBe(result);
  expect(`${finding.found} | ${finding.mend ?? ''}`).toMatch(text);
});
