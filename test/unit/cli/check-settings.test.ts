import { describe, expect, test } from 'vitest';
import { checkOptions, clientNameOf, paceBoundsOf, type CheckSettings } from '../../../src/cli/check-settings.js';
import { parseSettings, refusalOf } from '../support/commander.js';

function parse(env: Readonly<Record<string, string>> = {}): CheckSettings {
  return parseSettings(checkOptions(), [], env).opts<CheckSettings>();
}

describe('the settings of the checks', () => {
  test('count the client hosts unless told their number', () => {
    expect(parse()).toEqual({ clientHosts: 'auto', checkRate: 25, checkIntervalMax: 30_000 });
    expect(parse({ CLIENT_HOSTS: '1000' }).clientHosts).toBe(1_000);
    expect(paceBoundsOf(parse({ CHECK_RATE: '100', CHECK_INTERVAL_MAX: '1m' }))).toEqual({
      checkRate: 100,
      mostMs: 60_000,
    });
  });

  test.each([
    ['--client-hosts', '0', 'must be a number from 1 to 1000000, or auto'],
    ['--client-hosts', 'many', 'must be a number from 1 to 1000000, or auto'],
    ['--check-rate', '0.5', 'must be a number from 1 to 1000000'],
    ['--check-interval-max', '1s', 'must be from 2s to 1h'],
  ])('refuse %s %s', (flag, value, reason) => {
    const refusal = refusalOf(checkOptions(), [flag, value]);
    expect(refusal).toContain(value);
    expect(refusal).toContain(reason);
  });
});

describe('the name of a client host', () => {
  test('is the same after a restart, and another for each daemon of one host', () => {
    const name = clientNameOf('web-1.example', '/run/docker-discover');
    expect(name).toMatch(/^web-1\.example:[0-9a-f]{6}$/);
    expect(clientNameOf('web-1.example', '/run/docker-discover')).toBe(name);
    expect(clientNameOf('web-1.example', '/run/other')).not.toBe(name);
    expect(clientNameOf('web-2.example', '/run/docker-discover')).not.toBe(name);
  });

  test('can stand in a key whatever the host is called', () => {
    for (const hostname of ['a/b c', 'ü', 'x'.repeat(300)])
      expect(clientNameOf(hostname, '/run')).toMatch(/^[A-Za-z0-9._:-]{8,140}$/);
  });
});
