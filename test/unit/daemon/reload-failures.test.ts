import { expect, test } from 'vitest';
import { failureOf } from '../../../src/daemon/reload-failures.js';
import { ConfigurationRefusedError, PortsTakenError } from '../../../src/ports/proxy.js';

const ours = new Set([8000, 8001]);

test('a port of ours that is taken is left out by who builds the model', () => {
  const error = new PortsTakenError([8001]);
  expect(failureOf(error, ours)).toBe(error);
});

test('a port of the template that is taken is a fault of the configuration, which nobody can leave out', () => {
  const failure = failureOf(new PortsTakenError([8001, 9000]), ours);
  expect(failure).toBeInstanceOf(ConfigurationRefusedError);
  expect(String(failure)).toContain('the template binds 9000, which is taken by another process: free it');
});

test('any other failure is what it is', () => {
  const error = new Error('no answer in 30s');
  expect(failureOf(error, ours)).toBe(error);
});
