import { expect, test } from 'vitest';
import { defaultInterfaceOf } from '../../../src/core/default-route.js';

const header = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const lan = 'eth0\t0047AA0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n';
const wifi = 'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n';
const wire = 'eth0\t00000000\t0147AA0A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n';
const zeros = '0'.repeat(32);
const via6 = `${zeros} 00 ${zeros} 00 20010db8000000000000000000000001 00000400 00000001 00000000 00000003     eth1\n`;
const none6 = `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo\n`;

test.each([
  ['the one with the least metric', header + lan + wifi + wire, via6, 'eth0'],
  ['the only one', header + wifi + lan, '', 'wlan0'],
  ['that of IPv6 where IPv4 has none', header + lan, none6 + via6, 'eth1'],
  ['none', header + lan, none6, null],
  ['none where there is no table', '', '', null],
])('the default route is %s', (_what, ipv4, ipv6, name) => {
  expect(defaultInterfaceOf({ ipv4, ipv6 })).toBe(name);
});
