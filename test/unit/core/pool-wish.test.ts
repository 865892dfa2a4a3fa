import { describe, expect, test } from 'vitest';
import type { DiscoverStatus, EndpointStatus } from '../../../src/core/discover-status.js';
import { isSeen, parsePool, unmetOf, type PoolWish } from '../../../src/core/pool-wish.js';
import { accepted, reasonOf } from '../support/parsed.js';
import { endpointWith, statusWith } from '../support/status.js';

const endpoint = (id: string, status: string, changes: Partial<EndpointStatus> = {}): EndpointStatus =>
  endpointWith({ id, status, ...changes });

function statusOf(endpoints: readonly EndpointStatus[], changes: Partial<DiscoverStatus> = {}): DiscoverStatus {
  const shop = { name: 'shop:80', service: 'shop', port: 80, routes: [], check: null, endpoints };
  const blog = {
    name: 'blog:81',
    service: 'blog',
    port: 81,
    routes: [],
    check: null,
    endpoints: [endpoint('b', 'UP')],
  };
  return statusWith({ listeners: [shop, blog], ...changes });
}

const wish = (changes: Partial<PoolWish>): PoolWish => ({
  service: 'shop',
  port: null,
  up: null,
  down: null,
  ...changes,
});

describe('so many up', () => {
  test.each<[string, number]>([
    ['UP', 1],
    ['UP 1/2', 1],
    ['no check', 1],
    ['DOWN', 0],
    ['DOWN 1/2', 0],
    ['DRAIN', 0],
    ['MAINT', 0],
    ['not loaded', 0],
    ['unknown', 0],
  ])('an endpoint that is %s counts as %d', (text, count) => {
    const status = statusOf([endpoint('a', text)]);
    expect(unmetOf(status, wish({ up: count }))).toBeNull();
    expect(unmetOf(status, wish({ up: count + 1 }))).toMatch(
      new RegExp(`^${String(count + 1)} wanted up, and there is a ${text}`),
    );
  });

  test('are of the service, and of its port where one is given', () => {
    const status = statusOf([endpoint('a', 'UP'), endpoint('c', 'UP')]);
    expect(unmetOf(status, wish({ up: 2 }))).toBeNull();
    expect(unmetOf(status, wish({ up: 2, port: 80 }))).toBeNull();
    expect(unmetOf(status, wish({ up: 1, port: 81 }))).toBe('1 wanted up, and there is no endpoint');
    expect(unmetOf(status, wish({ up: 2, service: 'blog' }))).toBe('2 wanted up, and there is b UP');
  });

  test('of a file for another proxy are those that are not drained', () => {
    const output = { path: '/x', runs: 1, lastRun: null };
    const status = statusOf([endpoint('a', 'unknown'), endpoint('c', 'unknown', { weight: 0 })], { output });
    expect(unmetOf(status, wish({ up: 1 }))).toBeNull();
    expect(unmetOf(status, wish({ up: 2 }))).toBe('2 wanted up, and there is a unknown, c unknown');
  });

  test('tells why not, as far as it is known', () => {
    const problems = [
      { key: 'shop:80', reason: 'port 80 is held by service blog' },
      { key: '/backends/shop/x', reason: 'is no address' },
      { key: 'blog:1', reason: 'other' },
    ];
    const status = statusOf([endpoint('a', 'DOWN', { check: 'L4CON' })], { problems, fault: 'HAProxy refuses it' });
    expect(unmetOf(status, wish({ up: 1 }))).toBe(
      '1 wanted up, and there is a DOWN (L4CON); shop:80: port 80 is held by service blog; /backends/shop/x: is no address; what is wanted is not what runs: HAProxy refuses it',
    );
  });
});

describe('one that is down', () => {
  const status = statusOf([
    endpoint('a', 'UP'),
    endpoint('c:80', 'UP'),
    endpoint('c:90', 'DRAIN', { weight: 0 }),
    endpoint('d', 'DRAIN', { weight: 0 }),
  ]);

  test.each([
    ['a', 'still in the pool: a UP'],
    ['c', 'still in the pool: c:80 UP'],
    ['c:90', null],
    ['d', null],
    ['gone', null],
  ])('%s: %s', (down, reason) => {
    expect(unmetOf(status, wish({ down }))).toBe(reason);
  });

  test('and others up, both must hold', () => {
    expect(unmetOf(status, wish({ down: 'd', up: 2 }))).toBeNull();
    expect(unmetOf(status, wish({ down: 'a', up: 3 }))).toMatch(/^still in the pool: a UP; 3 wanted up/);
  });
});

test('a pool is a service, or its listener', () => {
  expect(accepted(parsePool('shop'))).toEqual({ service: 'shop', port: null });
  expect(accepted(parsePool('shop:80'))).toEqual({ service: 'shop', port: 80 });
  expect(reasonOf(parsePool('shop:80:1'))).toBe('give SERVICE or SERVICE:PORT');
  expect(reasonOf(parsePool('shop:x'))).toContain('is not a port');
  expect(reasonOf(parsePool('a b'))).toContain('is not a service name');
});

test('a key that is not served is told of in ASCII', () => {
  const problems = [{ key: '/backends/shop/\u001b[2J\u009b', reason: 'is none' }];
  expect(unmetOf(statusOf([], { problems }), wish({ up: 1 }))).toContain('; /backends/shop/\\u001b[2J\\u009b: is none');
});

describe('while etcd is away', () => {
  test('what is missing may be so for that', () => {
    expect(unmetOf(statusOf([], { catalog: 'last known good' }), wish({ up: 1 }))).toBe(
      '1 wanted up, and there is no endpoint; etcd does not answer: this is what was known last',
    );
    expect(unmetOf(statusOf([endpoint('a', 'UP')], { catalog: 'last known good' }), wish({ up: 1 }))).toBeNull();
  });

  test.each([{ up: 1 }, { up: 0 }, { down: 'a' }])('nothing is as wanted of which nobody knows: %j', (wanted) => {
    expect(unmetOf(statusWith({ catalog: 'none', revision: 0 }), wish(wanted))).toBe(
      'etcd has not answered yet, and there is no last known good state',
    );
  });
});

test('an endpoint is seen in whatever state it is, by its id or that of its container', () => {
  const status = statusOf([endpoint('0123456789ab:80', 'MAINT')]);
  expect(isSeen(status, wish({ down: '0123456789ab' }))).toBe(true);
  expect(isSeen(status, wish({ down: 'typo' }))).toBe(false);
  expect(isSeen(status, wish({ service: 'blog', down: '0123456789ab' }))).toBe(false);
});
