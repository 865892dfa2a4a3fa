import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { proxyPathsOf } from '../../../src/adapters/haproxy/paths.js';
import { openFilesLimit } from '../../../src/adapters/open-files.js';
import { listenerMaxconnOf } from '../../../src/core/haproxy/capacity.js';
import { discoverOptions, proxySettingsOf, type DiscoverSettings } from '../../../src/cli/discover-settings.js';
import { limitsOf } from '../../../src/cli/limit-settings.js';
import { defaultLimits } from '../../../src/core/limits.js';
import { policyOf } from '../../../src/cli/policy-settings.js';
import { statsAuthOf } from '../../../src/cli/stats-settings.js';
import { parseSettings, refusalOf } from '../support/commander.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

function parse(args: readonly string[], env: Readonly<Record<string, string>> = {}): DiscoverSettings {
  return parseSettings(discoverOptions(), args, env).opts<DiscoverSettings>();
}

describe('the settings of docker-discover', () => {
  test('limit the networks of endpoints where they are told to', () => {
    expect(policyOf(parse([])).networks).toBeNull();
    expect(policyOf(parse([], { NETWORKS: '10.0.0.0/8' })).networks).toMatchObject([{ text: '10.0.0.0/8' }]);
    expect(policyOf(parse(['--networks', '::1'])).networks).toMatchObject([{ text: '::1/128' }]);
  });

  test('have limits, which are numbers from 1 on', () => {
    expect(limitsOf(parse([]))).toEqual(defaultLimits);
    expect(limitsOf(parse(['--max-services', '7'], { MAX_KEYS_PER_LEASE: '9' }))).toMatchObject({
      services: 7,
      keysPerLease: 9,
    });
    for (const text of ['0', '-1', '1.5', 'all', '10000001'])
      expect(refusalOf(discoverOptions(), ['--max-keys', text])).toContain('must be a number from 1 to 10000000');
    expect(refusalOf(discoverOptions(), ['--max-key-bytes', '1025'])).toContain('must be a number from 1 to 1024');
    expect(refusalOf(discoverOptions(), [], { MAX_VALUE_BYTES: '2049' })).toContain('must be a number from 1 to 2048');
  });

  test('have defaults', () => {
    expect(parse([])).toMatchObject({
      prefix: '/backends',
      poll: 5_000,
      bind: ['*'],
      statsBind: { host: '*', port: 1936 },
      statusBind: 'none',
      haproxy: 'haproxy',
      stateDir: '/var/lib/docker-discover',
      quietPeriod: 10,
      quietPeriodMax: 200,
      linger: 60_000,
      hardStopAfter: 900_000,
      stopTimeout: 8_000,
    });
    expect(parse([])).not.toHaveProperty('template');
    expect(parse([])).not.toHaveProperty('statsAuth');
    expect(parse([])).not.toHaveProperty('etcdHost');
  });

  test.each([
    ['--bind', 'BIND', '10.0.0.1, [::],10.0.0.1', { bind: ['10.0.0.1', '::'] }],
    ['--metrics-bind', 'METRICS_BIND', 'none', { metricsBind: 'none' }],
    ['--access-log', 'ACCESS_LOG', 'yes', { accessLog: true }],
    ['--metrics-bind', 'METRICS_BIND', '*:9936', { metricsBind: { host: '*', port: 9936 } }],
    ['--status-bind', 'STATUS_BIND', '*:1937', { statusBind: { host: '*', port: 1937 } }],
    ['--stats-bind', 'STATS_BIND', '127.0.0.1:1937', { statsBind: { host: '127.0.0.1', port: 1937 } }],
    ['--stats-auth', 'STATS_AUTH', 'admin:a:b&c', { statsAuth: { user: 'admin', password: 'a:b&c' } }],
    ['--template', 'TEMPLATE', '/etc/my.mustache', { template: '/etc/my.mustache' }],
    ['--haproxy', 'HAPROXY', '/usr/sbin/haproxy', { haproxy: '/usr/sbin/haproxy' }],
    ['--state-dir', 'STATE_DIR', '/data', { stateDir: '/data' }],
    ['--poll', 'POLL', '500ms', { poll: 500 }],
    ['--quiet-period', 'QUIET_PERIOD', '0s', { quietPeriod: 0 }],
    ['--quiet-period-max', 'QUIET_PERIOD_MAX', '1m', { quietPeriodMax: 60_000 }],
    ['--linger', 'LINGER', '0s', { linger: 0 }],
    ['--hard-stop-after', 'HARD_STOP_AFTER', '24h', { hardStopAfter: 86_400_000 }],
    ['--stop-timeout', 'STOP_TIMEOUT', '1h', { stopTimeout: 3_600_000 }],
  ])('%s and %s say the same: %s', (flag, variable, value, settings) => {
    expect(parse([flag, value])).toMatchObject(settings);
    expect(parse([], { [variable]: value })).toMatchObject(settings);
  });

  test.each([
    ['--bind', 'BIND', 'eth0', 'give * or an IP address'],
    ['--bind', 'BIND', '*,', 'give * or an IP address'],
    ['--bind', 'BIND', '10.0.0.1:80', 'give * or an IP address'],
    ['--stats-bind', 'STATS_BIND', '1936', 'give *:1936 or ip:1936'],
    ['--metrics-bind', 'METRICS_BIND', 'off', 'is not a bind address and port'],
    ['--status-bind', 'STATUS_BIND', '1937', 'is not a bind address and port'],
    ['--stats-bind', 'STATS_BIND', 'localhost:1936', 'give *:1936 or ip:1936'],
    ['--stats-bind', 'STATS_BIND', '*:0', 'is not a port (1 to 65535)'],
    ['--poll', 'POLL', '5', 'give a number and a unit'],
    ['--poll', 'POLL', '100ms', 'must be from 500ms to 1h'],
    ['--quiet-period', 'QUIET_PERIOD', '2m', 'must be from 0ms to 1m'],
    ['--quiet-period-max', 'QUIET_PERIOD_MAX', 'never', 'give a number and a unit'],
    ['--linger', 'LINGER', '25h', 'must be from 0ms to 24h'],
    ['--hard-stop-after', 'HARD_STOP_AFTER', '999ms', 'must be from 1s to 24h'],
    ['--stop-timeout', 'STOP_TIMEOUT', '2h', 'must be from 0ms to 1h'],
  ])('%s (%s) refuses %j with the mend', (flag, variable, value, mend) => {
    const byFlag = refusalOf(discoverOptions(), [flag, value]);
    const byVariable = refusalOf(discoverOptions(), [], { [variable]: value });
    for (const part of [`'${value}'`, mend]) {
      expect(byFlag).toContain(part);
      expect(byVariable).toContain(part);
    }
    expect(byFlag).toContain(flag);
    expect(byVariable).toContain(`'${variable}'`);
  });

  test.each([
    'admin',
    ':secret',
    'admin:',
    'ad min:secret',
    'admin:se cret',
    'admin:se"cret',
    'admin:$HOME',
    'a:b\\c',
    'admin:ä',
  ])('refuse STATS_AUTH %j with the mend, and without printing it', (value) => {
    for (const message of [
      refusalOf(discoverOptions(), ['--stats-auth', value]),
      refusalOf(discoverOptions(), [], { STATS_AUTH: value }),
    ]) {
      expect(message).toMatch(/^STATS_AUTH must be user:password; the user of letters/);
      expect(message).not.toContain(value);
    }
  });
});

describe('STATS_AUTH_FILE', () => {
  let dir: string;
  const file = (text: string): string => {
    const path = join(dir, 'stats');
    writeFileSync(path, text);
    return path;
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'settings-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  test('has what STATS_AUTH would say', () => {
    const { statsAuthFile } = parse([], {
      STATS_AUTH_FILE: file('admin:a:b&c\n'),
    });
    expect(statsAuthFile && statsAuthOf({ statsAuthFile })).toEqual({ user: 'admin', password: 'a:b&c' });
    expect(() => statsAuthFile && statsAuthOf({ statsAuth: statsAuthFile, statsAuthFile })).toThrow(
      /both set: leave one of them out/,
    );
  });

  test.each([
    ['hush', /^STATS_AUTH_FILE "\/.*" must be user:password; the user of letters/],
    ['', /^STATS_AUTH_FILE "\/.*" is empty: write user:password into it/],
    ['admin:hush\nhush\n', /^STATS_AUTH_FILE "\/.*" has several lines: write user:password alone into it/],
  ])('is refused with the mend, and without printing what is in it: %j', (text, message) => {
    const refusal = refusalOf(discoverOptions(), ['--stats-auth-file', file(text)]);
    expect(refusal).toMatch(message);
    expect(refusal).not.toContain('hush');
  });

  test('that is not there is told of', () => {
    expect(refusalOf(discoverOptions(), ['--stats-auth-file', join(dir, 'none')])).toMatch(
      /^STATS_AUTH_FILE ".*none" can't be read: ENOENT.*; give the path of a file that may be read, in a container one/,
    );
  });
});

test('the settings of the proxy have whole seconds, never less than was asked', async () => {
  const settings = parse(['--hard-stop-after', '1500ms', '--stats-bind', '[::]:1936', '--listener-maxconn', '500']);
  expect(await proxySettingsOf(settings, proxyPathsOf('/run/x'))).toEqual({
    accessLog: false,
    bind: ['*'],
    statsBind: { host: '::', port: 1936 },
    statsAuth: null,
    runtimeSocket: '/run/x/haproxy.sock',
    serverStateFile: '/run/x/server-state',
    routesFile: '/run/x/routes.map',
    httpBind: null,
    httpsBind: null,
    redirectToHttps: true,
    hardStopAfterSeconds: 2,
    listenerMaxconn: 500,
  });
});

test('a listener may have a share of the connections that the open files of this process allow', async () => {
  const { listenerMaxconn } = await proxySettingsOf(parse([]), proxyPathsOf('/run/x'));
  expect(listenerMaxconn).toBe(listenerMaxconnOf(await openFilesLimit(null)));
  expect(refusalOf(discoverOptions(), ['--listener-maxconn', '0'])).toContain('must be a number from 1 to 1000000');
});
