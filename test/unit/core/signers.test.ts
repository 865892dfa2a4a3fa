import { describe, expect, test } from 'vitest';
import { keyIdOf, verifySignature } from '../../../src/adapters/ed25519.js';
import { recordOf, type CatalogRecord } from '../../../src/core/catalog.js';
import { catalogOf } from '../../../src/core/catalog-index.js';
import { drainKeyOf } from '../../../src/core/keyspace.js';
import { areAlike, parseSigners, type Trust } from '../../../src/core/signers.js';
import { accepted, reasonOf } from '../support/parsed.js';
import { listOf, pairOf, sealBy, signed, trustIn } from '../support/signing.js';
import { entryWith, prefix } from '../support/registrations.js';

const [a, b] = [pairOf('a'), pairOf('b')];
const parse = (text: string): ReturnType<typeof parseSigners> => parseSigners(text, keyIdOf);

describe('the list of signers', () => {
  test('has a line per key: where it may speak, and the key', () => {
    const signers = accepted(
      parse(`# back ends\r\n\n198.18.0.20 ${a.publicKey}\n  10.0.0.0/8,2001:db8::/32\t${b.publicKey}   # b\n`),
    );
    expect([...signers].map(([id, { networks }]) => [id, networks.map(({ text }) => text)])).toEqual([
      [a.id, ['198.18.0.20/32']],
      [b.id, ['10.0.0.0/8', '2001:db8::/32']],
    ]);
    expect(signers.get(a.id)?.publicKey).toBe(a.publicKey);
  });

  test('may give a key every address', () => {
    expect(accepted(parse(`0.0.0.0/0,::/0 ${a.publicKey}`)).size).toBe(1);
  });

  test.each([
    ['', 'has no key in it'],
    ['# nothing yet\n', 'has no key in it'],
    [`\n${a.publicKey}`, `line 2: "${a.publicKey}" is not of the form: addresses or networks`],
    [`198.18.0.20 ${a.publicKey} old`, 'is not of the form'],
    [`198.18.0.20, 198.18.0.21 ${a.publicKey}`, 'is not of the form'],
    [`198.18.0.20 ${a.publicKey}#old`, 'is not the public key of Ed25519'],
    [`host-a ${a.publicKey}`, 'line 1: "host-a" is not a network'],
    [`198.18.0.20, ${a.publicKey}`, '"" is not a network'],
    [`198.18.0.20/24 ${a.publicKey}`, 'has bits behind the 24 that count'],
    [`198.18.0.20 ${a.publicKey.slice(0, -1)}`, 'is not the public key of Ed25519: 32 bytes in base64'],
    [`198.18.0.20 ${a.publicKey.slice(0, -2)}B=`, 'is not the public key of Ed25519'],
    ['198.18.0.20 MCowBQYDK2VwAyEA9Sl+j+FwVumA/d44YPDK7NtKq7S+w7YWsRXypDuGqH8=', 'is not the public key of Ed25519'],
    [`${listOf({ a: '198.18.0.20', b: '198.18.0.21' })}198.18.0.22 ${a.publicKey}`, 'line 3: the key of line 1 again'],
  ])('is not %j: %s', (text, reason) => {
    expect(reasonOf(parse(text))).toContain(reason);
  });
});

const trust = trustIn({ a: '10.0.0.1', b: '10.0.0.2,10.1.0.0/16' });
const at = (host: string): ReturnType<typeof entryWith> => entryWith({ address: { host, port: 80 } });
const reasonIn = (record: CatalogRecord): string | null => (record.kind === 'rejected' ? record.reason : null);

describe('where a list says who is believed', () => {
  test('a registration counts that the key of its address has signed', () => {
    for (const [host, name] of [
      ['10.0.0.1', 'a'],
      ['10.0.0.2', 'b'],
      ['10.1.2.3', 'b'],
    ] as const)
      expect(recordOf(prefix, signed(at(host), name), trust)).toMatchObject({
        kind: 'endpoint',
        endpoint: { address: { host } },
      });
  });

  const good = signed(at('10.0.0.1'), 'a');
  test.each([
    ['has no signature', at('10.0.0.1'), 'it is not signed, and this host wants signatures (SIGNERS_FILE)'],
    ['has one that is cut', { ...good, value: good.value.slice(0, -1) }, 'its signature is not of the form'],
    ['has something behind it', { ...good, value: `${good.value}&weight=2` }, 'its signature is not of the form'],
    [
      'is signed by nobody we know',
      signed(at('10.0.0.1'), 'c'),
      `it is signed by the key ${pairOf('c').id}, which SIGNERS_FILE does not have`,
    ],
    [
      'says another thing than what was signed',
      { ...good, value: good.value.replace(':80', ':81') },
      `its signature by the key ${a.id} is wrong`,
    ],
    [
      'was moved from another key',
      { ...good, key: `${prefix}/other/0123456789ab` },
      `its signature by the key ${a.id} is wrong`,
    ],
    [
      'is at the address of another',
      signed(at('10.0.0.2'), 'a'),
      `it is signed by the key ${a.id}, which may not speak for 10.0.0.2, but for 10.0.0.1/32`,
    ],
    [
      'names the id of a key that has not signed',
      { ...good, value: good.value.replace(a.id, b.id).replace('10.0.0.1', '10.0.0.2') },
      `its signature by the key ${b.id} is wrong`,
    ],
  ])('one is rejected that %s', (_what, entry, reason) => {
    expect(reasonIn(recordOf(prefix, entry, trust))).toContain(reason);
    expect(recordOf(prefix, entry).kind).toBe('endpoint');
  });

  test('what breaks the grammar is told of as such, and no signature is looked at', () => {
    const asked: string[] = [];
    const watched: Trust = { ...trust, verify: (...args) => (asked.push(args[1]), verifySignature(...args)) };
    const broken = { ...at('10.0.0.1'), value: 'nowhere' };
    expect(reasonIn(recordOf(prefix, signed(broken, 'a'), watched))).toContain('is not an address');
    recordOf(prefix, signed(at('10.0.0.2'), 'a'), watched);
    expect(asked).toEqual([]);
    recordOf(prefix, good, watched);
    expect(asked).toHaveLength(1);
  });
});

describe('a drain by hand', () => {
  const one = signed(entryWith({ id: 'one', address: { host: '10.0.0.1', port: 80 } }), 'a');
  const two = signed(entryWith({ id: 'two', address: { host: '10.0.0.2', port: 80 } }), 'b');
  const drain = (target: string, name: string | null): CatalogRecord => {
    const key = drainKeyOf(prefix, target);
    const value = name === null ? 'by hand' : sealBy(name).seal(key, 'by hand');
    return recordOf(prefix, { key, value, createRevision: 1 }, all);
  };
  const all = trustIn({ a: '10.0.0.1', b: '10.0.0.2', operator: '0.0.0.0/0,::/0' });
  const drained = (record: CatalogRecord): string[] =>
    catalogOf([recordOf(prefix, one, all), recordOf(prefix, two, all), record]).services.flatMap(({ endpoints }) =>
      endpoints.filter(({ state }) => state === 'drain').map(({ id }) => id),
    );

  test.each([
    ['10.0.0.1', 'a', ['one']],
    ['one', 'a', ['one']],
    ['two', 'a', []],
    ['10.0.0.2', 'operator', ['two']],
    ['two', 'operator', ['two']],
  ])('of %s by %s drains %j', (target, name, ids) => {
    expect(drained(drain(target, name))).toEqual(ids);
  });

  test.each([
    ['10.0.0.2', 'a', `the key ${a.id}, which may not speak for 10.0.0.2`],
    ['two', null, 'it is not signed'],
    ['10.0.0.1', null, 'it is not signed'],
    ['two', 'c', 'which SIGNERS_FILE does not have'],
  ])('of %s by %s is rejected: %s', (target, name, reason) => {
    expect(reasonIn(drain(target, name))).toContain(reason);
    expect(drained(drain(target, name))).toEqual([]);
  });
});

test.each([
  ['the same', { a: '10.0.0.1' }, true],
  ['one more, of another key', { a: '10.0.0.1', b: '10.0.0.2' }, true],
  ['another address', { a: '10.0.0.2' }, false],
  ['one more address', { a: '10.0.0.1,10.0.0.2' }, false],
  ['another key', { b: '10.0.0.1' }, false],
])('what a key has signed need not be judged anew under a list that has %s: %j, %s', (_what, where, isAlike) => {
  const { value } = signed(at('10.0.0.1'), 'a');
  expect(areAlike(trustIn({ a: '10.0.0.1' }), trustIn(where), value)).toBe(isAlike);
  expect(areAlike(trustIn(where), trustIn({ a: '10.0.0.1' }), value)).toBe(isAlike);
  expect(areAlike(trustIn({ a: '10.0.0.1' }), trustIn(where), at('10.0.0.1').value)).toBe(true);
});
