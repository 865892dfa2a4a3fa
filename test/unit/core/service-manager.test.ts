import { expect, test } from 'vitest';
import { serviceManagerOf } from '../../../src/core/service-manager.js';

const socket = '/run/systemd/notify';

test.each([
  ['nobody asks', {}, null],
  ['an empty socket', { NOTIFY_SOCKET: '' }, null],
  ['no watchdog', { NOTIFY_SOCKET: socket }, { socket, watchdogMs: null }],
  ['a watchdog', { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '60000000' }, { socket, watchdogMs: 60_000 }],
  [
    'a watchdog of this process',
    { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' },
    { socket, watchdogMs: 60_000 },
  ],
  [
    'a watchdog of another process',
    { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' },
    { socket, watchdogMs: null },
  ],
  ['a watchdog that says nothing', { NOTIFY_SOCKET: socket, WATCHDOG_USEC: 'x' }, { socket, watchdogMs: null }],
])('%s', (_what, environment, settings) => {
  expect(serviceManagerOf(environment, 7)).toEqual(settings);
});
