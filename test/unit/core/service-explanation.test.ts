import { expect, test } from 'vitest';
import type { DiscoverStatus } from '../../../src/core/discover-status.js';
import { serviceExplanationOf, type ServiceExplanation } from '../../../src/core/service-explanation.js';
import { endpointWith, statusWith } from '../support/status.js';

const endpoint = endpointWith({ check: 'L4OK', checkText: 'Layer4 check passed', sinceSeconds: 5 });

function explain(changes: Partial<DiscoverStatus>, isWanted = true): ServiceExplanation {
  return serviceExplanationOf(statusWith(changes), { service: 'shop', prefix: '/backends', isWanted });
}

test('a service that is served: each endpoint with its key', () => {
  const check = { kind: 'tcp', intervalMs: 5_000, deadWithinMs: 7_500, frozenWithinMs: null, text: 'checked' } as const;
  const listeners = [
    { name: 'shop:80', service: 'shop', port: 80, routes: ['shop.example'], check, endpoints: [endpoint] },
    { name: 'shopping:81', service: 'shopping', port: 81, routes: [], check: null, endpoints: [endpoint] },
  ];
  expect(explain({ listeners })).toEqual({
    service: 'shop',
    listeners: [{ port: 80, routes: ['shop.example'], check, endpoints: [{ ...endpoint, key: '/backends/shop/a' }] }],
    reasons: [],
  });
});

test.each<[string, Partial<DiscoverStatus>, boolean, string]>([
  ['that is not registered', {}, true, 'no key below /backends/shop/ stands in etcd'],
  [
    'of which nobody knows yet',
    { catalog: 'none', revision: 0 },
    true,
    'etcd has not answered yet, and there is no last known good state: docker-discover doctor tells why',
  ],
  ['that is not wanted here', {}, false, 'SERVICES or DENY_SERVICES leave it out on this host'],
  [
    'whose port another has',
    { problems: [{ key: 'shop:80', reason: 'port 80 is held by service blog' }] },
    true,
    'shop:80: port 80 is held by service blog',
  ],
  [
    'whose key is rejected',
    { problems: [{ key: '/backends/shop/x', reason: 'is no address' }] },
    true,
    '/backends/shop/x: is no address',
  ],
  [
    'that lingers',
    { listeners: [{ name: 'shop:80', service: 'shop', port: 80, routes: [], check: null, endpoints: [] }] },
    true,
    'its last endpoint has gone; the listener lingers (LINGER)',
  ],
])('a service %s: the reason', (_what, changes, isWanted, reason) => {
  const { reasons } = explain(changes, isWanted);
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toContain(reason);
});

test('what is wrong with all of them too, and not what is wrong with others', () => {
  const { reasons } = explain({
    catalog: 'last known good',
    haproxy: { ...statusWith().haproxy, silence: 'no answer' },
    fault: 'bad template',
    listeners: [{ name: 'shop:80', service: 'shop', port: 80, routes: [], check: null, endpoints: [endpoint] }],
    problems: [
      { key: 'blog:80', reason: 'x' },
      { key: '/backends/shopping/x', reason: 'x' },
    ],
  });
  expect(reasons).toEqual([
    'etcd does not answer: this is what was known last',
    'HAProxy does not answer: no answer',
    'what is wanted is not what runs: bad template',
  ]);
});

test('a key that is rejected is told of in ASCII', () => {
  const problems = [{ key: '/backends/shop/\u001b[2J\u009b', reason: 'is none' }];
  expect(explain({ problems }).reasons).toEqual(['/backends/shop/\\u001b[2J\\u009b: is none']);
});

test('that it is beyond a limit, or may be among keys that are', () => {
  const { reasons } = explain({
    problems: [
      { key: 'MAX_KEYS_PER_LEASE of lease 1', reason: '9 left out' },
      { key: 'shop', reason: 'more services' },
    ],
  });
  expect(reasons).toEqual([
    'shop: more services',
    'what is missing of it may be among keys that are left out: MAX_KEYS_PER_LEASE of lease 1: 9 left out',
  ]);
});
