import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inAscii, printable, quoted } from '../../../src/core/result.js';

describe('a value from outside', () => {
  test.each([
    ['plain', '"plain"'],
    ['a "b"\n\u001b[31m', '"a \\"b\\"\\n\\u001b[31m"'],
    ['wéb\u007f\u009b\u202e', '"w\\u00e9b\\u007f\\u009b\\u202e"'],
    ['\ud800😀', '"\\ud800\\ud83d\\ude00"'],
    ['x'.repeat(80), `"${'x'.repeat(80)}"`],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
    [`${'x'.repeat(77)}\n\n`, `"${'x'.repeat(77)}\\n…"`],
    [`${'x'.repeat(75)}\0`, `"${'x'.repeat(75)}…"`],
  ])('is quoted, escaped and cut for a message: %j', (text, expected) => {
    expect(quoted(text)).toBe(expected);
  });

  test('is printable ASCII and no longer than asked for, and all of it is there where it is not cut', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 100 }));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 100 }), (value, length) => {
        const shown = printable(value, length);
        expect(shown).toMatch(/^[\x20-\x7e]*…?$/);
        expect(shown.length).toBeLessThanOrEqual(length + 1);
        const whole = JSON.parse(`"${shown.replace(/…$/, '')}"`) as string;
        expect(shown.endsWith('…') ? value.slice(0, whole.length) : value).toBe(whole);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('a line with parts from outside keeps what was quoted, and has nothing that a terminal obeys', () => {
  const line = `${quoted('a "b"\n')} … \u001b[2J\u009b\u202e\nsecond`;
  expect(inAscii(line)).toBe('"a \\"b\\"\\n" … \\u001b[2J\\u009b\\u202e\\nsecond');
});
