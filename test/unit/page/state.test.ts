import { describe, expect, test } from 'vitest';
import type { PageEndpoint, PageHead, PageListener, PageUpdate } from '../../../src/core/page-update.js';
import { filtered } from '../../../src/page/filter.js';
import { goneShownMs, nothingKnown, swept, updated, type PageState } from '../../../src/page/state.js';
import { ageText, stateOf } from '../../../src/page/words.js';

const haproxy = { running: true, workerPid: 1, silence: null, reloads: 0, runtimeChanges: 0, lastReload: null };
const head: PageHead = {
  host: 'client',
  version: '1',
  statsPort: 1936,
  catalog: 'live',
  revision: 1,
  fault: null,
  haproxy,
  output: null,
};

function endpoint(id: string, changes: Partial<PageEndpoint> = {}): PageEndpoint {
  const plain = { address: '10.0.0.1:80', weight: 1, zone: null, checkText: '', sessions: 0, stale: false };
  return { id, status: 'UP', sinceMs: null, ...plain, ...changes };
}

function listener(service: string, ...endpoints: PageEndpoint[]): PageListener {
  return { name: `${service}:80`, service, port: 80, routes: [`${service}.example`], check: null, endpoints };
}

function whole(...listeners: PageListener[]): PageUpdate {
  return { nowMs: 1_000, isWhole: true, head, listeners };
}

const part = (update: Partial<PageUpdate>): PageUpdate => ({ nowMs: 1_000, isWhole: false, ...update });

function shown(state: PageState): string[] {
  return [...state.listeners.values()].flatMap(({ name, endpoints, cameAtMs }) => [
    ...(cameAtMs === null ? [] : [`${name} new`]),
    ...endpoints.map((one) => `${name}/${one.id} ${one.state.word}${one.cameAtMs === null ? '' : ' new'}`),
  ]);
}

describe('what the page shows', () => {
  const first = updated(nothingKnown, whole(listener('a', endpoint('x'), endpoint('y'))), 500);

  test('is not new because we came', () => {
    expect(shown(first)).toEqual(['a:80/x up', 'a:80/y up']);
    expect(first.aheadMs).toBe(500);
  });

  test('is new where it came while we looked on, and what did not change is not touched', () => {
    const next = updated(
      first,
      part({ listeners: [listener('a', endpoint('w'), endpoint('x'), endpoint('y', { status: 'DOWN' }))] }),
      600,
    );
    expect(shown(next)).toEqual(['a:80/w up new', 'a:80/x up', 'a:80/y down']);
    expect(next.listeners.get('a:80')?.endpoints[1]).toBe(first.listeners.get('a:80')?.endpoints[0]);
    const more = updated(next, part({ listeners: [listener('b')] }), 700);
    expect(shown(more)).toContain('b:80 new');
    expect(more.listeners.get('a:80')).toBe(next.listeners.get('a:80'));
  });

  test('stays red for a while after it was killed, and goes then; what drained has left', () => {
    const draining = updated(
      first,
      part({ listeners: [listener('a', endpoint('x'), endpoint('y', { status: 'DRAIN' }))] }),
      600,
    );
    const gone = updated(draining, part({ listeners: [listener('a')] }), 4_000);
    expect(shown(gone)).toEqual(['a:80/x gone', 'a:80/y left']);
    // Docker announces a kill too, a moment before.
    expect(shown(updated(draining, part({ listeners: [listener('a')] }), 1_600))).toEqual([
      'a:80/x gone',
      'a:80/y gone',
    ]);
    expect(swept(gone, 4_000 + goneShownMs - 1)).toBe(gone);
    expect(shown(swept(gone, 4_000 + goneShownMs))).toEqual([]);
    expect(shown(updated(gone, part({ listeners: [listener('a', endpoint('x'))] }), 4_100))).toEqual([
      'a:80/x up new',
      'a:80/y left',
    ]);
  });

  test('goes with its service, and when contact was lost meanwhile', () => {
    for (const update of [part({ gone: ['a:80'] }), whole(listener('b'))]) {
      const gone = updated(first, update, 700);
      expect(shown(gone)).toContain('a:80/x gone');
      expect([...swept(gone, 700 + goneShownMs).listeners.keys()]).not.toContain('a:80');
    }
  });
});

test.each([
  [[], null, ['a', 'b']],
  [['b.exam'], null, ['b']],
  [['y'], null, ['a']],
  [['a', 'down'], null, ['a']],
  [[], 'down', ['a']],
  [[], 'stale', []],
  [[':80', 'z'], null, ['b']],
] as const)('filtered by %j and %j are %j', (words, only, services) => {
  const state = updated(
    nothingKnown,
    whole(listener('b', endpoint('z')), listener('a', endpoint('x'), endpoint('y', { status: 'DOWN' }))),
    0,
  );
  expect(filtered(state.listeners.values(), { words, only }).map(({ service }) => service)).toEqual(services);
});

test.each([
  ['UP', 'good', 'up'],
  ['UP 1/2', 'warn', 'up 1/2'],
  ['DOWN', 'bad', 'down'],
  ['DOWN 1/2', 'bad', 'down 1/2'],
  ['no check', 'good', 'unchecked'],
  ['DRAIN', 'warn', 'draining'],
  ['MAINT', 'off', 'maint'],
  ['not loaded', 'off', 'not loaded'],
  ['unknown', 'off', 'unknown'],
])('%s is %s: %s', (status, tone, word) => {
  expect(stateOf({ status }, true)).toMatchObject({ tone, word });
  expect(stateOf({ status }, false)).toMatchObject({ tone: 'info', word: 'registered' });
});

test('times are told in one unit', () => {
  expect([-5, 999, 59_999, 60_000, 3_599_999, 7_200_000, 172_800_000].map(ageText)).toEqual([
    '0 s',
    '0 s',
    '59 s',
    '1 min',
    '59 min',
    '2 h',
    '2 d',
  ]);
});
