import { expect, test, vi } from 'vitest';
import { withDeadline } from '../../../src/adapters/deadline.js';
import { deferred } from '../support/deferred.js';

test('many calls may share a signal, without a word of Node', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
  const { signal } = new AbortController();
  const gate = deferred();
  const calls = Array.from({ length: 20 }, () => withDeadline(60_000, signal, () => gate.promise));
  gate.resolve();
  await Promise.all(calls);
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});
