import { afterEach, expect, test, vi } from 'vitest';
import { entranceOf, entranceOptions, type EntranceSettings } from '../../../src/cli/entrance-settings.js';
import { parseSettings, refusalOf } from '../support/commander.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const statsBind = { host: '*', port: 1936 };

function parse(env: Readonly<Record<string, string>>): ReturnType<typeof entranceOf> {
  return entranceOf(parseSettings(entranceOptions(), [], env).opts<EntranceSettings>(), statsBind);
}

test('there is no entrance unless a setting says so', () => {
  expect(parse({})).toEqual({ statsBind, httpBind: null, httpsBind: null, redirectToHttps: true });
});

test('a port alone is every IPv4 address', () => {
  const https = { HTTPS_BIND: '[::]:443', CERTS: '/certs', HTTPS_REDIRECT: 'no' };
  expect(parse({ HTTP_BIND: '80', ...https })).toEqual({
    statsBind,
    httpBind: { host: '*', port: 80 },
    httpsBind: { host: '::', port: 443 },
    redirectToHttps: false,
  });
});

test.each([
  [{ HTTPS_BIND: '443' }, 'HTTPS_BIND needs certificates: set CERTS to the directory that has them'],
  [{ CERTS: '/certs' }, 'CERTS is for the HTTPS entrance: set HTTPS_BIND too, to 443 say'],
  [{ HTTP_BIND: '1936' }, 'HTTP_BIND and STATS_BIND have one port, 1936: give one of them another'],
  [
    { HTTP_BIND: '80', HTTPS_BIND: '127.0.0.1:80', CERTS: '/certs' },
    'HTTPS_BIND and HTTP_BIND have one port, 80: give one of them another',
  ],
])('%j is refused with the mend', (env, message) => {
  expect(() => parse(env)).toThrow(message);
});

test.each([
  ['HTTP_BIND', 'web', 'is not a bind address and port'],
  ['CERTS', 'certs', 'must be an absolute path'],
  ['HTTPS_REDIRECT', 'maybe', 'must be yes or no'],
])('%s=%s is refused', (variable, value, mend) => {
  expect(refusalOf(entranceOptions(), [], { [variable]: value })).toContain(mend);
});
