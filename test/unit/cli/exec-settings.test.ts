import { afterEach, expect, test, vi } from 'vitest';
import { execOf, execOptions, type ExecSettings } from '../../../src/cli/exec-settings.js';
import { parseSettings } from '../support/commander.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const others = { template: '/etc/nginx.mustache' };

function parse(env: Readonly<Record<string, string>>, more: object = others): ReturnType<typeof execOf> {
  return execOf({ ...parseSettings(execOptions(), [], env).opts<ExecSettings>(), ...more });
}

test('HAProxy is ours unless a setting says otherwise', () => {
  expect(parse({})).toBeNull();
});

test('a command needs a file and a template; a check and a time may be given', () => {
  expect(parse({ EXEC: 'nginx -s reload', OUTPUT: '/etc/nginx/nginx.conf' })).toEqual({
    command: 'nginx -s reload',
    check: null,
    timeoutMs: 30_000,
    path: '/etc/nginx/nginx.conf',
  });
  const all = { EXEC: 'x', OUTPUT: '/x', EXEC_CHECK: 'nginx -t', EXEC_TIMEOUT: '5s' };
  expect(parse(all)).toMatchObject({ check: 'nginx -t', timeoutMs: 5_000 });
});

test.each<[Record<string, string>, object, string]>([
  [{ EXEC: 'x' }, others, 'EXEC needs OUTPUT, the path of the file to render'],
  [{ EXEC: 'x', OUTPUT: '/x' }, {}, 'EXEC needs TEMPLATE, the template of OUTPUT'],
  [{ OUTPUT: '/x' }, others, 'OUTPUT is for EXEC, the command to run after a change: set that too'],
  [{ EXEC_CHECK: 'x' }, others, 'EXEC_CHECK is for EXEC, the command to run after a change: set that too'],
  [{ EXEC: 'x', OUTPUT: '/x' }, { ...others, httpBind: {} }, 'with EXEC the template opens the ports'],
  [{ EXEC: 'x', OUTPUT: '/x' }, { ...others, httpsBind: {} }, 'with EXEC the template opens the ports'],
])('%j with %j is refused with the mend', (env, more, message) => {
  expect(() => parse(env, more)).toThrow(message);
});
