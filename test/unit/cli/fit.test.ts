import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { fitted } from '../../../src/cli/fit.js';

const textOf = (count: number): string => Array.from({ length: count }, (_, n) => `row ${String(n)}\n`).join('');
const notice = (more: number): string =>
  `… ${String(more)} more ${more === 1 ? 'row' : 'rows'}; make the terminal larger, or see docker-discover explain SERVICE\n`;

test('what fits is left as it is; the last row is the cursor’s', () => {
  expect(fitted(textOf(9), { rows: 10, columns: 100 })).toBe(textOf(9));
});

test('what does not fit is cut, and counted', () => {
  expect(fitted(textOf(10), { rows: 10, columns: 100 })).toBe(`${textOf(8)}${notice(2)}`);
  expect(fitted(textOf(45), { rows: 10, columns: 100 })).toBe(`${textOf(8)}${notice(37)}`);
});

test('a line that is too wide takes several rows, and colours take no room', () => {
  const wide = `${'x'.repeat(250)}\n`;
  expect(fitted(`${wide}${textOf(6)}`, { rows: 10, columns: 100 })).toBe(`${wide}${textOf(6)}`);
  expect(fitted(`${wide}${textOf(7)}`, { rows: 10, columns: 100 })).toBe(`${wide}${textOf(5)}${notice(2)}`);
  const painted = `\u001b[31m${'x'.repeat(100)}\u001b[39m\n`.repeat(9);
  expect(fitted(painted, { rows: 10, columns: 100 })).toBe(painted);
});

test('it never takes more rows than there are, however small the terminal', () => {
  const size = fc.record({ rows: fc.integer({ min: 4, max: 60 }), columns: fc.integer({ min: 40, max: 200 }) });
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 300 }), { maxLength: 80 }), size, (lines, { rows, columns }) => {
      const text = lines.map((line) => `${line.replace(/\s/g, ' ')}\n`).join('');
      const shown = fitted(text, { rows, columns }).split('\n').slice(0, -1);
      const height = shown.reduce(
        (sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)),
        0,
      );
      expect(height).toBeLessThan(rows);
    }),
  );
});
