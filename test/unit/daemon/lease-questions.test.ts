import { beforeEach, expect, test } from 'vitest';
import { askOfLeases } from '../../../src/daemon/lease-questions.js';
import { FakeRegistry } from '../support/fake-registry.js';

const { signal } = new AbortController();
const many = ['1', '2', '3', '4', '5', '6'];
let registry: FakeRegistry;

beforeEach(() => {
  registry = new FakeRegistry();
  registry.leases.add('2');
});

const ask = (leases: readonly string[], held: readonly string[] = []): ReturnType<typeof askOfLeases> =>
  askOfLeases(new Set(leases), { registry, revision: 7, isHeld: (lease) => held.includes(lease) }, signal);

test('few leases are asked about one by one', async () => {
  expect(await ask(['1', '2'])).toEqual({
    lives: new Map([
      ['1', false],
      ['2', true],
    ]),
    failure: null,
  });
  expect(registry.calls).toEqual(['leaseTime', 'leaseTime']);
});

test('of many, one question tells which are gone; those that may live are asked about', async () => {
  const { lives } = await ask(many);
  expect(Object.fromEntries(lives)).toEqual({ 1: false, 2: true, 3: false, 4: false, 5: false, 6: false });
  expect(registry.calls).toEqual(['livingLeases', 'leaseTime']);
});

test('one that a member still knows, and that has run out, is gone', async () => {
  registry.leaseTimes.set('2', () => ({ remainingMs: 0, grantedMs: 15_000 }));
  expect((await ask(many)).lives.get('2')).toBe(false);
});

test('where etcd does not tell of all of them, each is asked about', async () => {
  registry.livingLeases = () => Promise.resolve(null);
  expect((await ask(many)).lives.get('2')).toBe(true);
  expect(registry.count('leaseTime')).toBe(6);
});

test('of none, and of one that holds a key that stands, etcd is not asked', async () => {
  const { lives } = await ask(['0', '1'], ['1']);
  expect(Object.fromEntries(lives)).toEqual({ 0: false, 1: true });
  expect(registry.calls).toEqual([]);
});

test('what etcd told stands, where it does not tell of the rest', async () => {
  let asked = 0;
  registry.before = () => {
    asked += 1;
    if (asked === 2) throw new Error('etcd is busy');
  };
  const { lives, failure } = await ask(['1', '2', '3']);
  expect(lives.get('1')).toBe(false);
  expect(lives.has('2')).toBe(false);
  expect(failure).toEqual({ error: new Error('etcd is busy') });
});
