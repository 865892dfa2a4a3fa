import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPropagation, newsOf, type Propagation } from '../../../src/daemon/propagation.js';
import { recordOf, type Entry } from '../../../src/core/catalog.js';
import { listenerWith, modelWith } from '../support/models.js';
import { recordingMeter } from '../support/meter.js';
import { entryWith, prefix } from '../support/registrations.js';

const now = Date.parse('2026-11-27T01:20:11.000Z');
const model = modelWith(listenerWith());
const histogram = 'docker_discover_propagation_seconds';

let measured: ReturnType<typeof recordingMeter>;
let propagation: Propagation;
beforeEach(() => {
  vi.useFakeTimers({ now });
  measured = recordingMeter();
  propagation = createPropagation(measured.meter);
});
afterEach(() => {
  vi.useRealTimers();
});

test('measures from the event to the pool, once', () => {
  propagation.heard([{ service: 'whoami', atMs: now - 250 }]);
  const news = propagation.pending();
  propagation.arrived(news, model);
  propagation.arrived(propagation.pending(), model);
  expect(measured.observed.get(histogram)).toEqual([0.25]);
});

test('what is heard while a round goes on waits for the next one', () => {
  propagation.heard([{ service: 'whoami', atMs: now - 100 }]);
  const news = propagation.pending();
  propagation.heard([{ service: 'whoami', atMs: now - 50 }]);
  propagation.arrived(news, model);
  expect(measured.observed.get(histogram)).toEqual([0.1]);
  expect(propagation.pending()).toHaveLength(1);
});

test('a service that this host does not serve is none of its figures, and a clock that is ahead is no time', () => {
  propagation.heard([
    { service: 'other', atMs: now - 100 },
    { service: 'whoami', atMs: now + 5_000 },
  ]);
  propagation.arrived(propagation.pending(), model);
  expect(measured.observed.get(histogram)).toEqual([0]);
  expect(propagation.pending()).toEqual([]);
});

test('what waits in vain is not kept without end', () => {
  for (let round = 0; round < 30; round += 1)
    propagation.heard(Array.from({ length: 1_000 }, () => ({ service: 'whoami', atMs: now })));
  expect(propagation.pending()).toHaveLength(10_000);
});

test.each<[string, Entry, string | undefined, number]>([
  ['a new registration', entryWith({ eventAtMs: now }), undefined, 1],
  ['one that begins to drain', entryWith({ state: 'drain', eventAtMs: now }), entryWith().value, 1],
  ['one that is put again', entryWith({ eventAtMs: now }), entryWith({ eventAtMs: now }).value, 0],
  ['one without a time', entryWith(), undefined, 0],
  ['one that is rejected', { ...entryWith({ eventAtMs: now }), key: `${prefix}/a b/c` }, undefined, 0],
])('%s', (_what, entry, before, count) => {
  expect(newsOf(entry.value, { record: recordOf(prefix, entry), before })).toEqual(
    Array(count).fill({ service: 'whoami', atMs: now }),
  );
});
