import { expect, test } from 'vitest';
import type { Step } from '../../../src/core/haproxy/plan.js';
import { createChangeLog } from '../../../src/daemon/change-log.js';
import { recordingLog } from '../support/log.js';

const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
const steps = (count: number): Step[] =>
  Array.from({ length: count }, (_, n): Step => ({ kind: 'maint', listener: 'whoami:8000', server: String(n) }));

test('the first load is the start, those after it are counted as reloads', () => {
  const { log, lines } = recordingLog();
  const changeLog = createChangeLog(log);
  changeLog.reloaded('HAProxy is not running', 41.7);
  expect(changeLog.changes()).toEqual({ reloads: 0, runtimeChanges: 0, lastReload: null, lastChange: null });
  changeLog.reloaded('listen whoami:8000 added', 3);
  const change = { what: 'listen whoami:8000 added', at };
  expect(changeLog.changes()).toEqual({ reloads: 1, runtimeChanges: 0, lastReload: change, lastChange: change });
  expect(lines).toMatchObject([
    { msg: 'HAProxy started', tookMs: 42 },
    { msg: 'HAProxy reloaded', reason: 'listen whoami:8000 added', tookMs: 3 },
  ]);
});

test('steps are counted, and the last of them is no reload', () => {
  const changeLog = createChangeLog(recordingLog().log);
  changeLog.applied(steps(1));
  expect(changeLog.changes()).toEqual({
    reloads: 0,
    runtimeChanges: 1,
    lastReload: null,
    lastChange: { what: 'set server whoami:8000/0 state maint', at },
  });
  changeLog.applied(steps(3));
  expect(changeLog.changes()).toMatchObject({
    runtimeChanges: 4,
    lastChange: { what: 'set server whoami:8000/0 state maint and 2 more commands' },
  });
});

test('of a burst a few commands are logged, and the number of the rest', () => {
  const { log, lines } = recordingLog();
  createChangeLog(log).applied(steps(200));
  expect(lines).toMatchObject([{ msg: 'HAProxy changed', more: 180 }]);
  expect(lines[0]).toHaveProperty('commands.length', 20);
});
