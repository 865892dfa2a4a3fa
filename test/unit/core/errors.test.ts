import { expect, test } from 'vitest';
import { isAbort, messageOf, SettingError } from '../../../src/core/errors.js';

test.each([
  ['an error', new Error('it broke'), 'it broke'],
  ['an error without its causes', new Error('no list', { cause: new Error('no socket') }), 'no list'],
  ['several at once', new AggregateError([new Error('first'), new Error('second')]), 'first; second'],
  ['an error without words', new RangeError(''), 'RangeError'],
  ['something that is no error', 'text', 'text'],
])('tells %s in one line', (_what, error, message) => {
  expect(messageOf(error)).toBe(message);
});

test('a message has no stack in it', () => {
  expect(messageOf(new Error('it broke'))).not.toContain(' at ');
});

test.each([
  ['an AbortError', new DOMException('aborted', 'AbortError'), true],
  ['any other error', new SettingError('no'), false],
  ['something that is no error', 'AbortError', false],
])('cancellation is %s', (_what, error, expected) => {
  expect(isAbort(error)).toBe(expected);
});
