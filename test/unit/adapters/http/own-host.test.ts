import { expect, test } from 'vitest';
import { isOwnHost } from '../../../../src/adapters/http/own-host.js';

test.each([
  ['127.0.0.1', undefined, true],
  ['127.0.0.1', '127.0.0.1:9936', true],
  ['127.0.0.1', '198.18.0.30', true],
  ['127.0.0.1', 'localhost:9936', true],
  ['127.0.0.1', 'LOCALHOST', true],
  ['::1', '[::1]:9936', true],
  ['127.0.0.1', '', false],
  ['127.0.0.1', 'evil.example:9936', false],
  ['127.0.0.1', 'localhost.evil.example', false],
  ['127.0.0.1', '127.0.0.1.evil.example', false],
  ['::1', '[evil.example]', false],
  ['*', 'client-1.example:1937', true],
  ['198.18.0.30', 'client-1.example:1937', true],
])('on %s, a request for %j is ours: %s', (host, header, expected) => {
  expect(isOwnHost({ host, port: 9936 }, header)).toBe(expected);
});
