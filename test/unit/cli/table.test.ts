import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stripVTControlCharacters } from 'node:util';
import { paintFor } from '../../../src/cli/paint.js';
import { formatTable } from '../../../src/cli/table.js';

test('prints columns of equal width, without white space at the ends of lines', () => {
  const rows = [
    ['whoami', '8000', ''],
    ['db', '5432', 'UP'],
  ];
  expect(formatTable(['SERVICE', 'PORT', 'STATUS'], rows)).toBe(
    ['SERVICE  PORT  STATUS', 'whoami   8000', 'db       5432  UP', ''].join('\n'),
  );
});

test('prints the header alone where there is nothing', () => {
  expect(formatTable(['A', 'B'], [])).toBe('A  B\n');
});

test('begins each column at the same place in every line, whatever the cells', () => {
  const cell = fc.stringMatching(/^[a-z]{1,9}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell)), (rows) => {
      const lines = formatTable(['ONE', 'TWO', 'THREE'], rows).trimEnd().split('\n');
      const starts = lines.map((line) => [...line.matchAll(/\S+/g)].map(({ index }) => index));
      for (const places of starts) expect(places).toEqual(starts[0]);
    }),
  );
});

test('takes two hundred thousand rows', () => {
  const rows = Array.from({ length: 200_000 }, (_, n) => [String(n)]);
  expect(formatTable(['N'], rows).split('\n')).toHaveLength(200_002);
});

test('is as wide with colours as without', () => {
  const paint = paintFor({ isTTY: true, hasColors: () => true }, {});
  const plainRows = [
    ['whoami', 'UP', '1'],
    ['db', '', '2'],
    ['shop', 'DOWN', ''],
  ];
  const painted = plainRows.map(([name = '', status = '', rest = '']) => [name, paint('bad', status), rest]);
  const text = formatTable(['NAME', 'STATUS', 'N'], painted, paint);
  expect(text).toContain('\u001b[1mNAME\u001b[22m');
  expect(text).toContain('\u001b[31mDOWN\u001b[39m');
  expect(stripVTControlCharacters(text)).toBe(formatTable(['NAME', 'STATUS', 'N'], plainRows));
});
