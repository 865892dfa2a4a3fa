import { describe, expect, test } from 'vitest';
import { isOwnKey, sortKeys, verdictOf, type LeaseSighting } from '../../../src/core/ownership.js';
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

describe('a key of this host', () => {
  const { key, value } = own;
  const desired = new Map([[key, value]]);
  const asking = { prefix, hostIp, lease: 'ours', ownLeases: new Set(['earlier', 'ours']), takeOver: false };
  const foreign = [{ key, lease: '7587', runsHere: true, isNamesake: false }];

  test.each([
    ['our lease is held', { entries: [{ ...own, lease: 'ours' }], desired }, [[key, value]], []],
    ['an earlier one of ours is put again', { entries: [{ ...own, lease: 'earlier' }], desired }, [[key, '']], []],
    ['another is foreign', { entries: [own], desired }, [], foreign],
    ['another is taken over at the start', { entries: [own], desired, takeOver: true }, [[key, '']], []],
    [
      'another, of a container that does not run here, is foreign also at the start',
      { entries: [own], desired: new Map<string, string>(), takeOver: true },
      [],
      [{ ...foreign[0], runsHere: false }],
    ],
    [
      'another at another address, by a SERVICE_ID, is another’s also at the start',
      {
        entries: [{ ...own, key: '/backends/whoami/named', value: '10.170.71.227:1?port=8000' }],
        desired: new Map([['/backends/whoami/named', value]]),
        takeOver: true,
      },
      [],
      [{ key: '/backends/whoami/named', lease: '7587', runsHere: true, isNamesake: true }],
    ],
    ['none is put by hand', { entries: [{ ...own, lease: '0' }], desired, takeOver: true }, [], []],
  ])('under %s: %#', (_what, changes, held, others) => {
    const sorted = sortKeys({ ...asking, ...changes });
    expect([...sorted.held]).toEqual(held);
    expect(sorted.foreign).toEqual(others);
  });
});

describe('a lease', () => {
  const sighting = (atMs: number, remainingMs: number, slowMs = 0): LeaseSighting => ({
    askedAtMs: atMs,
    answeredAtMs: atMs + slowMs,
    remainingMs,
    grantedMs: 15_000,
  });

  test.each([
    ['seen once', sighting(0, 14_000), sighting(0, 14_000), 'undecided'],
    ['that only runs out', sighting(0, 14_000), sighting(5_000, 9_000), 'undecided'],
    ['that only runs out, told in whole seconds', sighting(0, 13_000), sighting(999, 13_000), 'undecided'],
    ['that has less than half left, and a second', sighting(0, 14_000), sighting(8_000, 6_000), 'orphan'],
    ['that may have half left', sighting(0, 14_000), sighting(7_000, 7_000), 'undecided'],
    ['whose end has moved', sighting(0, 11_000), sighting(1_000, 14_000), 'kept alive'],
    ['of an etcd that is slow to answer', sighting(0, 14_000, 4_000), sighting(4_000, 13_000), 'undecided'],
  ] as const)('%s: %#', (_what, first, last, expected) => {
    expect(verdictOf(first, last)).toBe(expected);
  });
});
