import { expect, test } from 'vitest';
import { dockerHostAt, formatDockerHost, parseDockerHost } from '../../../../src/adapters/docker/host.js';
import { accepted, reasonOf } from '../../support/parsed.js';

test.each([
  ['unix:///var/run/docker.sock', { kind: 'unix', socketPath: '/var/run/docker.sock' }],
  ['unix:///run/user/1000/docker.sock', { kind: 'unix', socketPath: '/run/user/1000/docker.sock' }],
  ['tcp://10.1.2.3:2376', { kind: 'tcp', host: '10.1.2.3', port: 2376 }],
  ['tcp://10.1.2.3', { kind: 'tcp', host: '10.1.2.3', port: null }],
  ['tcp://docker.example/', { kind: 'tcp', host: 'docker.example', port: null }],
  ['tcp://[2001:db8::1]:2375', { kind: 'tcp', host: '2001:db8::1', port: 2375 }],
])('%s is a Docker host', (text, host) => {
  expect(accepted(parseDockerHost(text))).toEqual(host);
});

test.each([
  '',
  '/var/run/docker.sock',
  'unix://var/run/docker.sock',
  'unix:///',
  'tcp://',
  'tcp://:2375',
  'tcp://host:0',
  'tcp://host:70000',
  'tcp://host:2375/v1.41',
  'tcp://2001:db8::1:2375',
  'tcp://[10.1.2.3]:2375',
  'tcp://10.1.2.256:2375',
  'http://10.1.2.3:2375',
  'ssh://root@host',
  '10.1.2.3:2375',
])('%j is none', (text) => {
  expect(reasonOf(parseDockerHost(text))).toBe(
    `${JSON.stringify(text)} is not a Docker host: give unix:///path or tcp://host:port`,
  );
});

test.each(['unix:///var/run/docker.sock', 'tcp://10.1.2.3:2375', 'tcp://[2001:db8::1]:2375'])(
  '%s is shown as it was given',
  (text) => {
    expect(formatDockerHost(dockerHostAt(accepted(parseDockerHost(text)), null))).toBe(text);
  },
);

test('a port that is not given is that of Docker, with TLS or without', () => {
  const url = accepted(parseDockerHost('tcp://10.1.2.3'));
  const tls = { ca: 'ca', certificate: 'certificate', key: 'key' };
  expect(dockerHostAt(url, null)).toEqual({ kind: 'tcp', host: '10.1.2.3', port: 2375, tls: null });
  expect(dockerHostAt(url, tls)).toEqual({ kind: 'tcp', host: '10.1.2.3', port: 2376, tls });
  expect(dockerHostAt(accepted(parseDockerHost('tcp://10.1.2.3:1')), tls)).toMatchObject({ port: 1 });
});
