import { expect, test } from 'vitest';
import type { Facts, Failure, Life, Sighting } from '../../chaos/facts.js';
import { backWithinMs, excuseOf } from '../../chaos/oracle.js';

const forever = { how: 'lives', endingMs: Infinity, killed: null } as const;

const life = (id: string, more: Partial<Life> = {}): Life => ({
  id,
  service: 'shop',
  host: 'backend-1',
  fromMs: 0,
  ...forever,
  ...more,
});

const seen = (atMs: number, ...ids: string[]): Sighting => ({ atMs, up: new Set(ids) });

const facts = (more: Partial<Facts>): Facts => ({
  lives: [life('a')],
  sightings: { client: [seen(100, 'a')], 'client-2': [seen(100, 'a')] },
  cuts: [],
  deletions: [],
  absences: [],
  ...more,
});

const failure = (fromMs: number, toMs: number): Failure => ({
  client: 'client',
  service: 'shop',
  fromMs,
  toMs,
  error: 'socket hang up',
});

test('nothing excuses a failure while an endpoint lives and has been in the pool', () => {
  expect(excuseOf(failure(200, 210), facts({}))).toBeNull();
});

test('what a pool has lost is no excuse: the endpoint lives', () => {
  const sightings = { client: [seen(100, 'a'), seen(150)], 'client-2': [] };
  expect(excuseOf(failure(200, 210), facts({ sightings }))).toBeNull();
});

test('an endpoint that was not in the pool yet, or of another service, can not be asked for', () => {
  expect(excuseOf(failure(90, 110), facts({}))).toBe('nobody');
  expect(excuseOf(failure(200, 210), facts({ lives: [life('a', { service: 'other' })] }))).toBe('nobody');
});

test('the end of the only endpoint excuses what goes on beyond it, were it stopped with every care', () => {
  const stopped = life('a', { how: 'stopped', endingMs: 205 });
  expect(excuseOf(failure(200, 210), facts({ lives: [stopped] }))).toBe('nobody');
  expect(excuseOf(failure(200, 204), facts({ lives: [stopped] }))).toBeNull();
});

test('a container that is being killed excuses what is under way, and a stop does not', () => {
  const killed = [life('a'), life('b', { how: 'killed', endingMs: 205, killed: { fromMs: 205, toMs: 300 } })];
  expect(excuseOf(failure(200, 210), facts({ lives: killed }))).toBe('killed');
  expect(excuseOf(failure(310, 320), facts({ lives: killed }))).toBeNull();
  expect(
    excuseOf(failure(200, 210), facts({ lives: [life('a'), life('b', { how: 'stopped', endingMs: 205 })] })),
  ).toBeNull();
});

test('a HAProxy that was killed excuses failures of its own clients alone, until it is ready', () => {
  const absences = [{ client: 'client', what: 'docker-discover', fromMs: 190, toMs: 220 } as const];
  expect(excuseOf(failure(200, 210), facts({ absences }))).toBe('absent');
  expect(excuseOf({ ...failure(200, 210), client: 'client-2' }, facts({ absences }))).toBeNull();
  expect(excuseOf(failure(221, 230), facts({ absences }))).toBeNull();
});

test('a cable that is pulled excuses what is under way, and later nothing that others could have answered', () => {
  const cuts = [{ host: 'backend-1', fromMs: 200, cutMs: 205, toMs: 5_000 } as const];
  const lives = [life('a'), life('b', { host: 'backend-2' })];
  const sightings = { client: [seen(100, 'a', 'b')], 'client-2': [] };
  expect(excuseOf(failure(190, 5_190), facts({ cuts, lives, sightings }))).toBe('cut');
  expect(excuseOf(failure(210, 2_210), facts({ cuts, lives, sightings }))).toBeNull();
  expect(excuseOf(failure(210, 5_210), facts({ cuts }))).toBe('nobody');
});

test('an endpoint that was cut off counts again when the pool has it again, or should have it', () => {
  const cuts = [{ host: 'backend-1', fromMs: 200, cutMs: 205, toMs: 5_000 } as const];
  const back = { client: [seen(100, 'a'), seen(1_000), seen(7_000, 'a')], 'client-2': [] };
  expect(excuseOf(failure(6_900, 6_950), facts({ cuts, sightings: back }))).toBe('nobody');
  expect(excuseOf(failure(7_100, 7_150), facts({ cuts, sightings: back }))).toBeNull();
  const gone = { client: [seen(100, 'a'), seen(1_000)], 'client-2': [] };
  const lateMs = 5_000 + backWithinMs;
  expect(excuseOf(failure(lateMs - 10, lateMs - 5), facts({ cuts, sightings: gone }))).toBe('nobody');
  expect(excuseOf(failure(lateMs + 10, lateMs + 20), facts({ cuts, sightings: gone }))).toBeNull();
  const never = { client: [seen(100, 'a')], 'client-2': [] };
  expect(excuseOf(failure(5_010, 5_020), facts({ cuts, sightings: never }))).toBeNull();
});

test('an endpoint whose key was deleted by hand counts again when the pool has it again', () => {
  const deletions = [{ id: 'a', atMs: 200 }];
  const back = { client: [seen(100, 'a'), seen(210), seen(5_000, 'a')], 'client-2': [] };
  expect(excuseOf(failure(220, 230), facts({ deletions, sightings: back }))).toBe('nobody');
  expect(excuseOf(failure(5_100, 5_110), facts({ deletions, sightings: back }))).toBeNull();
  const stayed = { client: [seen(100, 'a')], 'client-2': [] };
  expect(excuseOf(failure(220, 230), facts({ deletions, sightings: stayed }))).toBeNull();
});

test('a host that was cut off a moment ago excuses nobody who came later', () => {
  const lives = [life('a'), life('b', { host: 'backend-2' })];
  const cuts = [{ host: 'backend-2', fromMs: 1_000, cutMs: 1_050, toMs: 30_000 } as const];
  expect(excuseOf(failure(2_000, 6_000), facts({ lives, cuts }))).toBeNull();
});
