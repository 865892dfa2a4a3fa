import { expect, test } from 'vitest';
import {
  failed,
  fine,
  hasFailed,
  notChecked,
  shownMs,
  summaryOf,
  warning,
} from '../../../../src/core/doctor/finding.js';

const all = [fine('a', 'x'), warning('b', 'x', 'y'), failed('c', 'x', 'y'), notChecked('d', 'x')];

test('findings are counted by result', () => {
  expect(summaryOf(all)).toBe('1 failed, 1 warning, 1 ok, 1 not checked');
  expect(summaryOf([fine('a', 'x')])).toBe('0 failed, 0 warnings, 1 ok');
});

test('only a failure is one', () => {
  expect(hasFailed(all)).toBe(true);
  expect(hasFailed(all.filter(({ result }) => result !== 'failed'))).toBe(false);
});

test('what comes from outside is one line of printable ASCII, and no page', () => {
  const { found, mend } = warning('a', `<html>\n\t\u001b[2J\u009bé${'x'.repeat(9_999)}`, 'a\u0007b');
  expect(found).toMatch(/^<html> \\u001b\[2J\\u009b\\u00e9x+\.\.\.$/);
  expect(found.length).toBeLessThan(500);
  expect(mend).toBe('a\\u0007b');
});

test.each([
  [0.04, '0.0ms'],
  [9.94, '9.9ms'],
  [10, '10ms'],
  [1234.5, '1235ms'],
])('%d ms', (ms, text) => {
  expect(shownMs(ms)).toBe(text);
});
