import { expect, test } from 'vitest';
import { isOwnKey } from '../../../src/core/ownership.js';
import { entryWith, prefix } from '../support/registrations.js';

const hostIp = '10.170.71.226';
const own = { ...entryWith(), lease: '7587' };

test.each([
  ['a container of this host', own, true],
  ['one port of a container of this host', { ...own, key: '/backends/whoami/0123456789ab:8000' }, true],
  ['a key without lease, put by hand', { ...own, lease: '0' }, false],
  ['a key that is not named by a container id', { ...own, key: '/backends/whoami/by-hand' }, false],
  ['a key whose id is longer than a short one', { ...own, key: '/backends/whoami/0123456789abcdef' }, false],
  ['a container of another host', { ...own, value: '10.170.71.227:49153?port=8000' }, false],
  ['a value that breaks the grammar', { ...own, value: 'nonsense' }, false],
  ['a key of another prefix', { ...own, key: '/elsewhere/whoami/0123456789ab' }, false],
])('docker-register of a host answers for %s: %#', (_what, entry, expected) => {
  expect(isOwnKey(prefix, hostIp, entry)).toBe(expected);
});
