import fc from 'fast-check';
import { expect, test } from 'vitest';
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
