import { expect, test } from 'vitest';
import { problemsByKind } from '../../../src/core/discover-counts.js';
import type { DiscoverStatus, EndpointStatus } from '../../../src/core/discover-status.js';
import { pagePartsOf, pageUpdateOf, type PageParts } from '../../../src/core/status-page.js';
import { endpointWith, statusWith } from '../support/status.js';

const about = { host: 'client', version: '1.2.3', statsPort: 1936 };
const at = 1_000_000;

function shop(...endpoints: EndpointStatus[]): DiscoverStatus['listeners'][number] {
  return { name: 'shop:80', service: 'shop', port: 80, routes: [], check: null, endpoints };
}

function partsOf(
  changes: Partial<DiscoverStatus>,
  { before = null, nowMs = at, rejected = 0 }: { before?: PageParts | null; nowMs?: number; rejected?: number } = {},
): PageParts {
  const problem = { key: '/backends/\u001b<img src=x>', reason: 'is no address' };
  const problems = problemsByKind([[], [], [], [], Array<typeof problem>(rejected).fill(problem)]);
  return pagePartsOf({ about, status: statusWith(changes), problems, nowMs }, before);
}

test('tells everything at first, and then what changed', () => {
  const first = partsOf({ listeners: [shop(endpointWith())] });
  expect(pageUpdateOf(null, first, at)).toMatchObject({
    nowMs: at,
    isWhole: true,
    head: { ...about, catalog: 'live', haproxy: { running: true } },
    problems: { shown: [] },
    changes: [],
    listeners: [{ name: 'shop:80', endpoints: [{ id: 'a', status: 'UP' }] }],
  });
  const same = partsOf({ listeners: [shop(endpointWith())] }, { before: first });
  expect(pageUpdateOf(first, same, at)).toBeNull();
  const down = partsOf({ listeners: [shop(endpointWith({ status: 'DOWN' }))] }, { before: same });
  const { listeners, ...others } = pageUpdateOf(same, down, at) ?? {};
  expect(listeners).toMatchObject([{ name: 'shop:80', endpoints: [{ id: 'a', status: 'DOWN' }] }]);
  expect(others).toEqual({ nowMs: at, isWhole: false });
  const none = partsOf({}, { before: down });
  expect(pageUpdateOf(down, none, at)).toEqual({ nowMs: at, isWhole: false, gone: ['shop:80'] });
});

test('time that passes is no change, and a status that began anew is one', () => {
  const since = (sinceSeconds: number): Partial<DiscoverStatus> => ({
    listeners: [shop(endpointWith({ sinceSeconds }))],
  });
  const first = partsOf(since(10));
  const later = partsOf(since(14), { before: first, nowMs: at + 5_000 });
  expect(pageUpdateOf(first, later, at)).toBeNull();
  const anew = partsOf(since(1), { before: later, nowMs: at + 9_000 });
  expect(pageUpdateOf(later, anew, at)?.listeners?.[0]?.endpoints[0]?.sinceMs).toBe(at + 8_000);
});

test('of many keys that are not served it tells the first, their number, and nothing that a screen would obey', () => {
  const update = pageUpdateOf(null, partsOf({}, { rejected: 100_000 }), at);
  expect(update?.problems?.counts).toMatchObject({ rejected: 100_000, refused: 0 });
  expect(update?.problems?.shown).toHaveLength(50);
  expect(update?.problems?.shown[0]).toEqual({
    kind: 'rejected',
    key: '/backends/\\u001b<img src=x>',
    reason: 'is no address',
  });
});

test('of endpoints at addresses that are forbidden too', () => {
  const problems = problemsByKind([[], [], [{ key: '/backends/shop/a', reason: '127.0.0.1 is loopback' }]]);
  const update = pageUpdateOf(null, pagePartsOf({ about, status: statusWith(), problems, nowMs: at }, null), at);
  expect(update?.problems?.counts.forbidden).toBe(1);
  expect(update?.problems?.shown).toEqual([
    { kind: 'forbidden', key: '/backends/shop/a', reason: '127.0.0.1 is loopback' },
  ]);
});
