import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyState, formatLastKnownGood, parseLastKnownGood } from '../../../src/core/last-known-good.js';
import { anyEntries, anyHeld } from '../support/arbitraries.js';
import { heldWith, listenerWith } from '../support/models.js';
import { accepted, reasonOf } from '../support/parsed.js';
import { entryWith } from '../support/registrations.js';

test('survives being written and read', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      anyEntries,
      anyHeld,
      fc.option(fc.integer({ min: 1 })),
      (revision, entries, held, clientHosts) => {
        const stale = entries.slice(0, 3).map((entry) => ({ ...entry, sinceMs: revision }));
        const state = { revision, entries, stale, held, clientHosts };
        expect(accepted(parseLastKnownGood(formatLastKnownGood(state)))).toEqual(state);
      },
    ),
  );
});

test('keeps of a listener who held the port, not its servers: those follow from the entries', () => {
  const text = formatLastKnownGood({ ...emptyState, held: [listenerWith()] });
  expect(accepted(parseLastKnownGood(text)).held).toEqual([heldWith()]);
});

test('keeps of a key what etcd said, and the lease on which it hung', () => {
  const entry = { ...entryWith(), lease: '7587', modRevision: 3 };
  const text = formatLastKnownGood({ ...emptyState, entries: [entry] });
  expect(accepted(parseLastKnownGood(text)).entries).toEqual([{ ...entryWith(), lease: '7587' }]);
});

test.each([[undefined], [null], [0], ['1000'], [-3]])(
  'of client hosts that are told as %j nothing is known',
  (clientHosts) => {
    const text = JSON.stringify({ version: 1, revision: 7, entries: [], stale: [], held: [], clientHosts });
    expect(accepted(parseLastKnownGood(text)).clientHosts).toBeNull();
  },
);

describe('a file that is not of ours', () => {
  const good = { version: 1, revision: 7, entries: [entryWith()], stale: [], held: [heldWith()] };

  test.each(['', '{', 'nonsense', '{"version":1'])('is refused when it is not JSON: %j', (text) => {
    expect(reasonOf(parseLastKnownGood(text))).toBe('is not JSON');
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['of another version', { ...good, version: 2 }],
    ['without a revision', { ...good, revision: null }],
    ['without entries', { ...good, entries: undefined }],
    ['with an entry that is no object', { ...good, entries: ['x'] }],
    ['with an entry without value', { ...good, entries: [{ key: '/backends/web/a', createRevision: 1 }] }],
    ['with a revision of an entry that is text', { ...good, entries: [{ ...entryWith(), createRevision: '1' }] }],
    ['with an entry without lease', { ...good, entries: [{ ...entryWith(), lease: undefined }] }],
    ['with a stale entry without time', { ...good, stale: [entryWith()] }],
    ['without stale entries', { ...good, stale: undefined }],
    ['without listeners', { ...good, held: {} }],
    ['with a listener without port', { ...good, held: [{ ...heldWith(), port: undefined }] }],
    ['with a mode that is no text', { ...good, held: [{ ...heldWith(), mode: 1 }] }],
    ['with a mode that there is not', { ...good, held: [{ ...heldWith(), mode: 'udp' }] }],
    ['with a balance that there is not', { ...good, held: [{ ...heldWith(), balance: 'fastest' }] }],
    ['with a port that is none', { ...good, held: [{ ...heldWith(), port: 70_000 }] }],
    ['with a listener that is no object', { ...good, held: [null] }],
    ['with an "empty" without revision', { ...good, held: [{ ...heldWith(), empty: { sinceMs: 1 } }] }],
    ['with a service that breaks the grammar', { ...good, held: [{ ...heldWith(), service: 'web\n' }] }],
    ['with a check that breaks the grammar', { ...good, held: [{ ...heldWith(), check: '/a b\n' }] }],
    ['with an "empty" of another form', { ...good, held: [{ ...heldWith(), empty: 5 }] }],
  ])('is refused when it is %s', (_what, content) => {
    expect(reasonOf(parseLastKnownGood(JSON.stringify(content)))).toBe('is not of the form that this version writes');
  });

  test('does not choose the names of our sections', () => {
    const text = JSON.stringify({ ...good, held: [{ ...heldWith(), name: 'web:80\n    bind *:22' }] });
    expect(accepted(parseLastKnownGood(text)).held).toEqual([heldWith()]);
  });

  test('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseLastKnownGood(text).ok).toBe(false);
      }),
    );
  });
});
