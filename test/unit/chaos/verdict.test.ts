import { expect, test } from 'vitest';
import type { Facts, Failure, Life } from '../../chaos/facts.js';
import { verdictOf, type Outcome } from '../../chaos/verdict.js';

const life: Life = {
  id: 'a',
  service: 'shop',
  host: 'backend-1',
  fromMs: 0,
  how: 'lives',
  endingMs: Infinity,
  killed: null,
};
const sightings = [{ atMs: 100, up: new Set(['a']) }];
const facts: Facts = {
  lives: [life],
  sightings: { client: sightings, 'client-2': sightings },
  cuts: [],
  deletions: [],
  absences: [],
};

const outcome = (
  failures: readonly Failure[],
  by: Readonly<Record<string, number>>,
  more: Partial<Outcome> = {},
): Outcome => ({
  facts,
  loads: [{ client: 'client', failures, answers: [{ kind: 'answered', atMs: 1_000, service: 'shop', by }] }],
  pools: null,
  processes: null,
  growth: [],
  ...more,
});

test('a run in which every request was answered by its own service is well', () => {
  expect(verdictOf(outcome([], { a: 10 }))).toMatchObject({ ok: true, violations: [], misrouted: [] });
});

test('a failure without an excuse is not', () => {
  const failure = { client: 'client', service: 'shop', fromMs: 200, toMs: 210, error: 'socket hang up' } as const;
  expect(verdictOf(outcome([failure], { a: 10 }))).toMatchObject({ ok: false, violations: [failure] });
});

test('nor is an answer by a container of another service', () => {
  const { ok, misrouted } = verdictOf(outcome([], { a: 10, b: 2 }));
  expect(ok).toBe(false);
  expect(misrouted).toEqual([{ client: 'client', service: 'shop', by: 'b of nothing known', count: 2, atMs: 1_000 }]);
});

test('nor are pools that differ, processes that are left, or growth', () => {
  const use = { role: 'daemon', args: '', mib: 80, threads: 11, files: 30 } as const;
  expect(verdictOf(outcome([], {}, { pools: 'differ' })).ok).toBe(false);
  expect(verdictOf(outcome([], {}, { processes: 'are left' })).ok).toBe(false);
  expect(verdictOf(outcome([], {}, { growth: [{ what: 'x', before: use, after: use, grown: true }] })).ok).toBe(false);
});
