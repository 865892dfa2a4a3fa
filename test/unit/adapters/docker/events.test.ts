import { describe, expect, test } from 'vitest';
import { containerEventOf, watchedActions } from '../../../../src/adapters/docker/events.js';
import { containerId } from '../../support/containers.js';

const id = containerId('0123456789abcdef');

/** An event as Docker 29 (API 1.52) sends it. */
function modern(action: string, attributes: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({
    Type: 'container',
    Action: action,
    Actor: { ID: id, Attributes: { image: 'jwilder/whoami', name: 'whoami-1', ...attributes } },
    scope: 'local',
    time: 1763895600,
    timeNano: 'NANO',
  }).replace('"NANO"', '1763895600123456789');
}

/** The same as Docker 20.10 (API 1.41) sends it. */
function old(action: string, attributes: Readonly<Record<string, string>> = {}): string {
  const dropped = JSON.stringify({ status: action, id, from: 'jwilder/whoami' });
  return `${dropped.slice(0, -1)},${modern(action, attributes).slice(1)}`;
}

describe.each([
  ['Docker 20.10', old],
  ['Docker 29', modern],
])('an event of %s', (_engine, send) => {
  test.each([
    ['start', {}, { action: 'start', signal: null }],
    ['kill', { signal: '15' }, { action: 'kill', signal: 15 }],
    ['kill', { signal: '37' }, { action: 'kill', signal: 37 }],
    ['die', { exitCode: '137' }, { action: 'die', signal: null }],
    ['stop', {}, { action: 'stop', signal: null }],
    ['pause', {}, { action: 'pause', signal: null }],
    ['health_status: healthy', {}, { action: 'health_status', signal: null }],
    ['health_status: unhealthy', {}, { action: 'health_status', signal: null }],
    ['exec_create: sh -c "a: b"', {}, { action: 'exec_create', signal: null }],
  ])('is read: %s %j', (action, attributes, event) => {
    expect(containerEventOf(send(action, attributes))).toEqual({ id, atMs: 1763895600123, ...event });
  });
});

test('the fields that Docker 29 dropped are not believed before the ones that it kept', () => {
  const line = JSON.stringify({ ...(JSON.parse(old('start')) as object), status: 'die', id: 'other' });
  expect(containerEventOf(line)).toEqual({ id, atMs: 1763895600123, action: 'start', signal: null });
});

test.each([
  ['seconds alone', { time: 1763895600 }, 1763895600000],
  ['none', {}, null],
  ['a text', { time: 'now', timeNano: 'now' }, null],
])('an event with %s for a time', (_what, times, atMs) => {
  const event = { Type: 'container', Action: 'start', Actor: { ID: id }, ...times };
  expect(containerEventOf(JSON.stringify(event))?.atMs).toBe(atMs);
});

test('a label of the container does not pass for a signal', () => {
  expect(containerEventOf(modern('kill', { signal: 'TERM' }))?.signal).toBeNull();
});

test.each([
  ['an image', { Type: 'image', Action: 'pull', Actor: { ID: 'nginx:latest' } }],
  ['a network', { Type: 'network', Action: 'connect', Actor: { ID: 'abc' } }],
  ['no type', { status: 'start', id }],
  ['no action', { Type: 'container', Actor: { ID: id } }],
  ['no actor', { Type: 'container', Action: 'start', id }],
  ['an actor without id', { Type: 'container', Action: 'start', Actor: {} }],
  ['a number', 5],
  ['null', null],
])('is not about a container: %s', (_what, event) => {
  expect(containerEventOf(JSON.stringify(event))).toBeNull();
});

test('what is watched are the actions that change a registration, not the ones that come in crowds', () => {
  expect(watchedActions).toEqual(
    expect.arrayContaining(['start', 'kill', 'die', 'destroy', 'pause', 'unpause', 'health_status']),
  );
  expect(watchedActions.filter((action) => /^(exec|top|resize|attach)/.test(action))).toEqual([]);
});
