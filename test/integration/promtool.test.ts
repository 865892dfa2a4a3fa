import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { deployDir } from '../unit/support/deployed.js';

it.each([
  ['check', 'rules', 'alerts.yaml'],
  ['check', 'config', 'prometheus.yaml'],
  // Each alert fires when it should, and none beside.
  ['test', 'rules', 'alerts.test.yaml'],
])('promtool %s %s %s', async (...args) => {
  const { stdout } = await promisify(execFile)('promtool', args, { cwd: `${deployDir}prometheus` });
  expect(stdout).toContain('SUCCESS');
});
