import { beforeEach, expect, test } from 'vitest';
import type { Step } from '../../../src/core/haproxy/plan.js';
import { notRunning } from '../../../src/core/haproxy/reload-reason.js';
import { createChangeLog, type ChangeLog } from '../../../src/daemon/change-log.js';
import type { Logger } from '../../../src/ports/log.js';
import { recordingLog } from '../support/log.js';
import { recordingMeter } from '../support/meter.js';

const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
let measured: ReturnType<typeof recordingMeter>;
beforeEach(() => {
  measured = recordingMeter();
});

function changeLogOf(log: Logger): ChangeLog {
  return createChangeLog({ log, meter: measured.meter, isLooping: () => false });
}

const steps = (count: number): Step[] =>
  Array.from({ length: count }, (_, n): Step => ({ kind: 'maint', listener: 'whoami:8000', server: String(n) }));

test('the first load is the start, those after it are counted as reloads', () => {
  const { log, lines } = recordingLog();
  const changeLog = changeLogOf(log);
  changeLog.reloaded(notRunning, 41.7);
  expect(changeLog.changes()).toEqual({ reloads: 0, runtimeChanges: 0, lastReload: null, lastChange: null });
  changeLog.reloaded({ cause: 'section_added', text: 'listen whoami:8000 added' }, 3);
  const change = { what: 'listen whoami:8000 added', at };
  expect(changeLog.changes()).toEqual({ reloads: 1, runtimeChanges: 0, lastReload: change, lastChange: change });
  expect(measured.counts).toEqual(new Map([['docker_discover_reloads_total{reason="section_added"}', 1]]));
  expect(measured.observed).toEqual(new Map([['docker_discover_reload_duration_seconds', [0.0417, 0.003]]]));
  expect(lines).toMatchObject([
    { msg: 'HAProxy started', tookMs: 42 },
    { msg: 'HAProxy reloaded', reason: 'listen whoami:8000 added', tookMs: 3 },
  ]);
  expect(changeLog.recent()).toEqual([
    { kind: 'reload', ...change },
    { kind: 'start', what: 'as docker-discover began', at },
  ]);
});

test('steps are counted, and the last of them is no reload', () => {
  const changeLog = changeLogOf(recordingLog().log);
  changeLog.applied(steps(1));
  expect(changeLog.changes()).toEqual({
    reloads: 0,
    runtimeChanges: 1,
    lastReload: null,
    lastChange: { what: 'whoami:8000: 0 taken out', at },
  });
  changeLog.applied(steps(3));
  expect(changeLog.changes()).toMatchObject({
    runtimeChanges: 4,
    lastChange: { what: 'whoami:8000: 0, 1, 2 taken out' },
  });
  expect(measured.counts).toEqual(new Map([['docker_discover_runtime_changes_total{kind="maint"}', 4]]));
  expect(changeLog.recent()).toEqual([
    { kind: 'change', what: 'whoami:8000: 0, 1, 2 taken out', at },
    { kind: 'change', what: 'whoami:8000: 0 taken out', at },
  ]);
  for (let n = 0; n < 100; n += 1) changeLog.applied(steps(1));
  expect(changeLog.recent()).toHaveLength(50);
});

test('a change is told in words, its commands to who wants more, and of a burst the beginning', () => {
  const { log, lines } = recordingLog();
  const changeLog = changeLogOf(log);
  changeLog.applied(steps(1));
  expect(lines).toMatchObject([
    { level: 'debug', msg: 'commands of the change', commands: ['set server whoami:8000/0 state maint'] },
    { level: 'info', msg: 'HAProxy changed', changes: ['whoami:8000: 0 taken out'] },
  ]);
  expect(lines[1]).not.toHaveProperty('more');
  changeLog.applied(steps(200).map((step, n) => ({ ...step, listener: `web:${String(1000 + n)}` })));
  expect(lines.slice(2)).toMatchObject([{ more: 180 }, { more: 180 }]);
  expect(lines[2]).toHaveProperty('commands.length', 20);
  expect(lines[3]).toHaveProperty('changes.length', 20);
});
