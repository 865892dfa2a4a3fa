import { afterEach, describe, expect, test, vi } from 'vitest';
import { registerOptions, type RegisterSettings } from '../../../src/cli/register-settings.js';
import { parseSettings, refusalOf } from '../support/commander.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const parse = (args: string[], env: Record<string, string> = {}): RegisterSettings =>
  parseSettings(registerOptions(), args, env).opts<RegisterSettings>();

describe('the settings of docker-register', () => {
  test('have defaults', () => {
    expect(parse([])).toMatchObject({
      nameBy: { kind: 'image' },
      internal: 'no',
      ttl: 15_000,
      resync: 60_000,
      changeRate: 1,
      withdrawOnExit: false,
    });
    expect(parse([])).not.toHaveProperty('onlyLabel');
    expect(parse([])).not.toHaveProperty('hostIp');
  });

  test.each([
    ['--host-ip', 'HOST_IP', '198.18.0.20', { hostIp: { ip: '198.18.0.20', of: null } }],
    ['--internal', 'INTERNAL', 'no', { internal: 'no' }],
    ['--internal', 'INTERNAL', 'yes', { internal: { network: null } }],
    ['--internal', 'INTERNAL', 'lan', { internal: { network: 'lan' } }],
    ['--only-label', 'ONLY_LABEL', 'a.b', { onlyLabel: { name: 'a.b', value: null } }],
    ['--only-label', 'ONLY_LABEL', 'a=b=c', { onlyLabel: { name: 'a', value: 'b=c' } }],
    ['--only-label', 'ONLY_LABEL', 'a=', { onlyLabel: { name: 'a', value: '' } }],
    ['--name-by', 'NAME_BY', 'compose-service', { nameBy: { kind: 'compose-service' } }],
    ['--withdraw-on-exit', 'WITHDRAW_ON_EXIT', 'no', { withdrawOnExit: false }],
    ['--docker-tls-verify', 'DOCKER_TLS_VERIFY', '1', { dockerTlsVerify: true }],
    ['--docker-tls-verify', 'DOCKER_TLS_VERIFY', '', { dockerTlsVerify: false }],
    ['--docker-cert-path', 'DOCKER_CERT_PATH', '/certs', { dockerCertPath: '/certs' }],
  ])('%s and %s say the same: %s', (flag, variable, value, settings) => {
    expect(parse([flag, value])).toMatchObject(settings);
    expect(parse([], { [variable]: value })).toMatchObject(settings);
  });

  test.each([
    ['--internal', 'a b', 'must be yes, no, or the name of a network'],
    ['--only-label', '=b', 'is not a label: give NAME or NAME=VALUE'],
    ['--only-label', 'a b', 'is not a label: give NAME or NAME=VALUE'],
  ])('%s may not be %j', (flag, value, reason) => {
    expect(refusalOf(registerOptions(), [flag, value])).toContain(reason);
  });

  test('--internal alone is yes', () => {
    expect(parse(['--internal'])).toMatchObject({ internal: { network: null } });
  });
});
