import { expect, test } from 'vitest';
import { quoted } from '../../../src/core/result.js';

test.each([
  ['plain', '"plain"'],
  ['a "b"\n\u001b[31m', '"a \\"b\\"\\n\\u001b[31m"'],
  ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
])('a value from outside is quoted, escaped and cut for a message', (text, expected) => {
  expect(quoted(text)).toBe(expected);
});
