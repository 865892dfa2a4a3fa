import { afterEach, describe, expect, test, vi } from 'vitest';
import { durationOption, parseYesNo, sharedOptions, type SharedSettings } from '../../../src/cli/options.js';
import { parseSettings, refusalOf } from '../support/commander.js';
import { accepted, reasonOf } from '../support/parsed.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const shared = sharedOptions('docker-discover');

function parse(args: readonly string[], env: Readonly<Record<string, string>> = {}): SharedSettings {
  return parseSettings(shared, args, env).opts<SharedSettings>();
}

describe('the settings of both daemons', () => {
  test('have defaults', () => {
    expect(parse([])).toEqual({
      prefix: '/backends',
      runDir: '/run/docker-discover',
      logLevel: 'info',
      logFormat: 'auto',
    });
  });

  const args = [
    '--etcd-host',
    '10.0.0.10,etcd:4001',
    ...['--etcd-ca', 'ca.pem', '--etcd-cert', 'own.pem', '--etcd-key', 'own.key'],
    '--prefix',
    '/a/b',
    '--run-dir',
    '/tmp/x',
    '--log-level',
    'debug',
  ];
  const env = {
    ETCD_HOST: '10.0.0.10,etcd:4001',
    ...{ ETCD_CA: 'ca.pem', ETCD_CERT: 'own.pem', ETCD_KEY: 'own.key' },
    PREFIX: '/a/b',
    RUN_DIR: '/tmp/x',
    LOG_LEVEL: 'debug',
  };

  test('are flags and environment alike', () => {
    const settings = parse(args);
    expect(settings).toMatchObject({
      etcdHost: ['http://10.0.0.10:2379', 'http://etcd:4001'],
      ...{ etcdCa: 'ca.pem', etcdCert: 'own.pem', etcdKey: 'own.key' },
      prefix: '/a/b',
      runDir: '/tmp/x',
      logLevel: 'debug',
    });
    expect(parse([], env)).toEqual(settings);
  });

  test('are taken from the flag where both say something', () => {
    expect(parse(['--prefix', '/flag'], { PREFIX: '/env' }).prefix).toBe('/flag');
  });

  test.each([
    ['--etcd-host', 'ETCD_HOST', 'http://etcd:2379/v3', 'give host, host:port or URL (IPv6 in brackets)'],
    ['--etcd-host', 'ETCD_HOST', '10.0.0.256', 'give host, host:port or URL (IPv6 in brackets)'],
    ['--etcd-host', 'ETCD_HOST', 'etcd,', 'give host, host:port or URL, several separated by commas'],
    ['--etcd-host', 'ETCD_HOST', 'http://a,https://b', 'all members must have the same'],
    ['--prefix', 'PREFIX', 'backends', 'it starts with "/"'],
    ['--prefix', 'PREFIX', '/backends/', 'has no "/" at its end'],
    ['--log-level', 'LOG_LEVEL', 'loud', 'Allowed choices are trace, debug, info, warn, error.'],
    ['--log-format', 'LOG_FORMAT', 'xml', 'Allowed choices are auto, json, text.'],
    // haproxy.cfg has the paths of the sockets in it, not quoted.
    ['--run-dir', 'RUN_DIR', '/tmp/my dir', 'white space'],
    ['--run-dir', 'RUN_DIR', '/tmp/x\n    bind *:22', 'white space'],
  ])('%s (%s) refuses %j with the mend', (flag, variable, value, mend) => {
    const byFlag = refusalOf(shared, [flag, value]);
    expect(byFlag).toContain(flag);
    expect(byFlag).toContain(value);
    expect(byFlag).toContain(mend);
    const byVariable = refusalOf(shared, [], { [variable]: value });
    expect(byVariable).toContain(variable);
    expect(byVariable).toContain(value);
    expect(byVariable).toContain(mend);
  });

  test('a password in ETCD_HOST is refused without being repeated', () => {
    const refusal = (): unknown => parseSettings(shared, ['--etcd-host', 'http://me:hush@etcd']);
    expect(refusal).toThrow('ETCD_HOST has a user or password in it');
    expect(refusal).not.toThrow('hush');
  });

  test('an unknown flag is refused by name', () => {
    expect(refusalOf(shared, ['--prefixx', '/a'])).toContain("unknown option '--prefixx'");
  });

  test('a flag without its value is refused by name', () => {
    expect(refusalOf(shared, ['--prefix'])).toContain("option '--prefix <prefix>' argument missing");
  });
});

describe('a setting that is a time', () => {
  const ttl = durationOption({
    flags: '--ttl',
    env: 'TTL',
    description: 'time to live',
    defaultMs: 15_000,
    leastMs: 3_000,
    mostMs: 3_600_000,
  });

  test.each([
    [[], {}, 15_000],
    [['--ttl', '3s'], {}, 3_000],
    [['--ttl', '1h'], {}, 3_600_000],
    [[], { TTL: '90s' }, 90_000],
  ])('%j %j', (args, env, ttlMs) => {
    expect(parseSettings([ttl], args, env).opts<{ ttl: number }>().ttl).toBe(ttlMs);
  });

  test('shows its default with a unit', () => {
    expect(ttl.defaultValueDescription).toBe('15s');
  });

  test.each([
    ['15', 'is not a duration: give a number and a unit, like 500ms, 15s, 2m or 1h'],
    ['soon', 'is not a duration: give a number and a unit, like 500ms, 15s, 2m or 1h'],
    ['2999ms', 'must be from 3s to 1h'],
    ['0s', 'must be from 3s to 1h'],
    ['2h', 'must be from 3s to 1h'],
  ])('refuses %j, names flag or variable, and tells the mend', (value, mend) => {
    expect(refusalOf([ttl], ['--ttl', value])).toBe(
      `error: option '--ttl <duration>' argument '${value}' is invalid. ${mend}`,
    );
    expect(refusalOf([ttl], [], { TTL: value })).toBe(
      `error: option '--ttl <duration>' value '${value}' from env 'TTL' is invalid. ${mend}`,
    );
  });
});

test.each([
  ['yes', true],
  ['TRUE', true],
  ['1', true],
  ['on', true],
  ['no', false],
  ['False', false],
  ['0', false],
  ['off', false],
])('%s is a yes: %s', (text, expected) => {
  expect(accepted(parseYesNo(text))).toBe(expected);
});

test.each(['', 'y', 'maybe', 'yes please', '2'])('%j is neither yes nor no', (text) => {
  expect(reasonOf(parseYesNo(text))).toBe('must be yes or no');
});
