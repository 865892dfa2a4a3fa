import { expect, test } from 'vitest';
import { refuseSharedBinds } from '../../../src/cli/own-binds.js';
import { SettingError } from '../../../src/core/errors.js';
import type { BindAddress } from '../../../src/core/haproxy/bind.js';
import { fixedBindsOf } from '../../../src/core/haproxy/fixed-binds.js';
import { parseBindAddress } from '../../../src/core/haproxy/bind.js';
import { accepted } from '../support/parsed.js';

const at = (text: string): BindAddress => accepted(parseBindAddress(text));

function refuse(metrics: string, status: string, { stats = '*:1936', http = '*:80' } = {}): void {
  const fixed = fixedBindsOf({ statsBind: at(stats), httpBind: at(http), httpsBind: null });
  refuseSharedBinds(
    { metricsBind: metrics === 'none' ? 'none' : at(metrics), statusBind: status === 'none' ? 'none' : at(status) },
    fixed,
  );
}

test.each<[string, string, string]>([
  [
    '127.0.0.1:1936',
    'none',
    'both METRICS_BIND 127.0.0.1:1936 and STATS_BIND *:1936 want port 1936: give one of them another',
  ],
  ['none', '*:1936', 'both STATUS_BIND *:1936 and STATS_BIND *:1936 want port 1936'],
  ['none', '[::]:80', 'both STATUS_BIND [::]:80 v4v6 and HTTP_BIND *:80 want port 80'],
  ['127.0.0.1:9936', '[::]:9936', 'both STATUS_BIND [::]:9936 v4v6 and METRICS_BIND 127.0.0.1:9936 want port 9936'],
  ['127.0.0.1:9936', '*:9936', 'both STATUS_BIND *:9936 and METRICS_BIND 127.0.0.1:9936 want port 9936'],
])('one port for two pages of ours is refused: %s, %s', (metrics, status, message) => {
  const refused = (): void => {
    refuse(metrics, status);
  };
  expect(refused).toThrow(SettingError);
  expect(refused).toThrow(message);
});

test.each([
  ['127.0.0.1:9936', '*:1937', {}],
  ['none', 'none', {}],
  ['127.0.0.1:1936', '198.18.0.30:1936', { stats: '127.0.0.2:1936' }],
  ['[::1]:1936', 'none', {}],
])('ports of their own, or addresses of their own, are not: %s, %s', (metrics, status, others) => {
  refuse(metrics, status, others);
});
