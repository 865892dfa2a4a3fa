import { describe, expect, test } from 'vitest';
import { asciiJson, problemsTable } from '../../../src/cli/discover-ls.js';

const many = (count: number): { key: string; reason: string }[] =>
  Array.from({ length: count }, (_, n) => ({ key: `/backends/web/ ${String(n)}`, reason: 'r' }));

describe('the table of what is not served', () => {
  test('names all, where they are fifty or fewer', () => {
    const table = problemsTable(many(50));
    expect(table.trimEnd().split('\n')).toHaveLength(51);
    expect(table).not.toContain('more');
  });

  test('names fifty of two hundred thousand, and tells how many there are', () => {
    const lines = problemsTable(many(200_000)).trimEnd().split('\n');
    expect(lines).toHaveLength(52);
    expect(lines.at(-1)).toBe('and 199950 more; --json lists all 200000');
  });

  test('is printable, and no wider than a key and a reason may be', () => {
    const table = problemsTable([{ key: `\u001b[2J\u009b\u202eé\n${'k'.repeat(1_000)}`, reason: 'r' }]);
    expect(table).toMatch(/^[\n\x20-\x7e…]*$/);
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThan(120);
  });
});

test('the JSON is ASCII, and says the same', () => {
  const body = { problems: [{ key: '\u001b\u009b\u202e\ud800\udcff"é😀\u007f', reason: 'r' }] };
  expect(asciiJson(body)).toMatch(/^[\n\x20-\x7e]*$/);
  expect(JSON.parse(asciiJson(body))).toEqual(body);
});
