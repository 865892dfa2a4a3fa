import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLogLine, type LogLine } from '../../../../src/core/haproxy/log-line.js';

const down =
  'Server web:8000/a is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 2ms. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.';

describe('a line of HAProxy', () => {
  test.each<[string, LogLine | null]>([
    [
      down,
      {
        level: 'warn',
        message: 'a server is down',
        fields: {
          listener: 'web:8000',
          server: 'a',
          state: 'DOWN',
          reason: 'Layer4 connection problem',
          info: 'Connection refused',
          checkMs: 2,
          active: 1,
          backup: 0,
        },
      },
    ],
    [
      'Server web:8000/a is DOWN, reason: Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 1ms. 0 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      {
        level: 'warn',
        message: 'a server is down',
        fields: {
          listener: 'web:8000',
          server: 'a',
          state: 'DOWN',
          reason: 'Layer7 wrong status',
          info: 'Service Unavailable',
          code: 503,
          checkMs: 1,
          active: 0,
          backup: 1,
        },
      },
    ],
    [
      'Server web:8000/a is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
      {
        level: 'info',
        message: 'a server is up',
        fields: {
          listener: 'web:8000',
          server: 'a',
          state: 'UP',
          reason: 'Layer4 check passed',
          checkMs: 0,
          active: 1,
          backup: 0,
        },
      },
    ],
    [
      'Server web:8000/a is UP/READY (leaving forced maintenance).',
      {
        level: 'info',
        message: 'a server is up',
        fields: { listener: 'web:8000', server: 'a', state: 'UP/READY (leaving forced maintenance)' },
      },
    ],
    [
      'Server web:8000/a is going DOWN for maintenance. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      {
        level: 'info',
        message: 'a server changed',
        fields: { listener: 'web:8000', server: 'a', state: 'going DOWN for maintenance', active: 1, backup: 0 },
      },
    ],
    [
      'proxy web:8000 has no server available!',
      { level: 'warn', message: 'a listener has no server that is up', fields: { listener: 'web:8000' } },
    ],
    ["[ALERT]    (16810) : proxy 'web:8000' has no server available!", null],
    [`[WARNING]  (16810) : ${down}`, null],
    // A new worker repeats what it took over.
    [
      '[WARNING]  (16219) : config : Server d0:10010/o1 is DOWN, changed from server-state after a reload. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      null,
    ],
    // Two workers wrote to standard error at a time.
    [
      `[WARNING]  (1) : Server web:8000/a is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration:[WARNING]  (2) : ${down}`,
      null,
    ],
    [' 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.', null],
    ['d 0 backup servers online. 0 sessions requeued, 0 total in queue.', null],
    [
      '[WARNING]  (1) : Server web:8000/a is DOWN[ALERT]    (2) : config : x',
      {
        level: 'warn',
        message: 'Server web:8000/a is DOWN[ALERT]    (2) : config : x',
        fields: {},
      },
    ],
    [
      'access tcp 10.0.0.1:1 db:5432 db:5432/a 1/0/10 1546 1 total in queue.',
      {
        level: 'info',
        message: 'connection',
        fields: {
          client: '10.0.0.1:1',
          listener: 'db:5432',
          server: 'a',
          queuedMs: 1,
          connectMs: 0,
          totalMs: 10,
          bytes: 1546,
          termination: '1',
        },
      },
    ],
    [
      '[WARNING]  (1) : Exiting Master process...',
      { level: 'debug', message: 'Exiting Master process...', fields: {} },
    ],
    ['', null],
    ['[NOTICE]   (1) : New worker (2) forked', { level: 'debug', message: 'New worker (2) forked', fields: {} }],
    [
      '[ALERT]    (1) : Current worker (2) exited with code 143 (Terminated)',
      { level: 'debug', message: 'Current worker (2) exited with code 143 (Terminated)', fields: {} },
    ],
    ['[ALERT]    (1) : config : x', { level: 'error', message: 'config : x', fields: {} }],
    ['[WARNING]  (1) : config : y', { level: 'warn', message: 'config : y', fields: {} }],
    ['something else', { level: 'info', message: 'something else', fields: {} }],
  ])('%s', (line, parsed) => {
    expect(parseLogLine(line)).toEqual(parsed);
  });
});

describe('the log of accesses', () => {
  test('of a request', () => {
    const line = 'access http 10.0.0.1:52814 web:8000 web:8000/a 0/1/4/5 500 -- 404 abc-1 GET /a%20b';
    expect(parseLogLine(line)).toEqual({
      level: 'info',
      message: 'request',
      fields: {
        client: '10.0.0.1:52814',
        listener: 'web:8000',
        server: 'a',
        method: 'GET',
        path: '/a%20b',
        status: 404,
        queuedMs: 0,
        connectMs: 1,
        responseMs: 4,
        totalMs: 5,
        bytes: 500,
        termination: '--',
        requestId: 'abc-1',
      },
    });
  });

  test('of a request that came through the entrance, and went nowhere', () => {
    const line = 'access http [2001:db8::1]:5 entrance web:8000/<NOSRV> -1/-1/-1/0 217 SC 503 - GET /';
    expect(parseLogLine(line)?.fields).toMatchObject({
      client: '[2001:db8::1]:5',
      frontend: 'entrance',
      listener: 'web:8000',
      server: '<NOSRV>',
      connectMs: -1,
      status: 503,
    });
    expect(parseLogLine(line)?.fields).not.toHaveProperty('requestId');
  });

  test('of a connection', () => {
    expect(parseLogLine('access tcp 10.0.0.1:1 db:5432 db:5432/a 1/0/10 1546 cD')).toEqual({
      level: 'info',
      message: 'connection',
      fields: {
        client: '10.0.0.1:1',
        listener: 'db:5432',
        server: 'a',
        queuedMs: 1,
        connectMs: 0,
        totalMs: 10,
        bytes: 1546,
        termination: 'cD',
      },
    });
  });
});

test('whatever a line is, it is taken apart or handed on', () => {
  const line = fc.oneof(
    fc.string(),
    fc.string().map((text) => `access http ${text}`),
    fc.string().map((text) => `Server ${text} is ${text}`),
  );
  fc.assert(
    fc.property(line, (text) => {
      const parsed = parseLogLine(text);
      expect(parsed === null || parsed.message !== '').toBe(true);
    }),
  );
});

test('a line without end is cut', () => {
  expect(parseLogLine('x'.repeat(100_000))?.message).toBe(`${'x'.repeat(2_000)}…`);
});
