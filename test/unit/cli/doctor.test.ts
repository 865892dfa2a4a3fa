import { expect, test } from 'vitest';
import { examine } from '../../../src/cli/doctor.js';
import { fine } from '../../../src/core/doctor/finding.js';

test('a check that fails or hangs has failed, and the others have their say', async () => {
  const findings = await examine(
    [
      { name: 'hangs', run: () => new Promise(() => undefined) },
      { name: 'throws', run: () => Promise.reject(new Error('it is broken')) },
      { name: 'well', run: () => Promise.resolve([fine('one', 'x'), fine('two', 'y')]) },
    ],
    10,
  );
  expect(findings.map(({ check, result, found }) => `${result} ${check}: ${found}`)).toEqual([
    'failed hangs: no answer in 10ms',
    'failed throws: it is broken',
    'ok one: x',
    'ok two: y',
  ]);
});

test('a check is told when its time is over', async () => {
  let isTold = false;
  const run = (signal: AbortSignal): Promise<never> =>
    new Promise(() => {
      signal.addEventListener('abort', () => (isTold = true));
    });
  await examine([{ name: 'hangs', run }], 10);
  expect(isTold).toBe(true);
});
