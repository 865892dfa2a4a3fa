import { describe, expect, test } from 'vitest';
import { paintedStatus, paintFor, plain } from '../../../src/cli/paint.js';

const terminal = { isTTY: true, hasColors: () => true };

describe('colours are', () => {
  test('for a terminal', () => {
    expect(paintFor(terminal, {})('good', 'UP')).toBe('\u001b[32mUP\u001b[39m');
    expect(paintFor(terminal, {})('good', '')).toBe('');
  });

  test.each([
    ['a pipe', { ...terminal, isTTY: false }, {}],
    ['a terminal without colours', { ...terminal, hasColors: () => false }, {}],
    ['whoever has set NO_COLOR', terminal, { NO_COLOR: '1' }],
    ['whoever has set NO_COLOR, whatever else', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }],
  ])('not for %s', (_whom, stream, env) => {
    expect(paintFor(stream, env)).toBe(plain);
  });
});

test.each([
  ['UP', false, 32],
  ['UP', true, 33],
  ['UP 1/2', false, 33],
  ['DOWN', false, 31],
  ['DOWN', true, 31],
  ['DOWN 1/2', false, 31],
  ['DRAIN', false, 33],
  ['MAINT', false, 33],
  ['not loaded', false, 33],
])('an endpoint that is %s, stale: %j', (status, stale, code) => {
  const paint = paintFor(terminal, {});
  expect(paintedStatus(paint, { status, stale }, 'text')).toBe(`\u001b[${String(code)}mtext\u001b[39m`);
});

test('an endpoint that is not checked has no colour', () => {
  expect(paintedStatus(paintFor(terminal, {}), { status: 'no check', stale: false }, 'text')).toBe('text');
});
