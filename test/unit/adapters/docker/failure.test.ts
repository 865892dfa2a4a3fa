import { expect, test } from 'vitest';
import { isMissing, reasonOf } from '../../../../src/adapters/docker/failure.js';
import type { DockerHost } from '../../../../src/adapters/docker/host.js';

const socket: DockerHost = { kind: 'unix', socketPath: '/run/my docker.sock' };
const tcp: DockerHost = { kind: 'tcp', host: '10.1.2.3', port: 2375, tls: null };
const tls: DockerHost = { ...tcp, port: 2376, tls: { ca: '', certificate: '', key: '' } };

function failure(message: string, fields: object): Error {
  return Object.assign(new Error(message), fields);
}

test.each([
  [
    'a socket that is not there',
    failure('connect ENOENT', { code: 'ENOENT' }),
    socket,
    'there is no such socket; is Docker running, and the socket mounted (-v /var/run/docker.sock:/run/my docker.sock)?',
  ],
  [
    'a socket that is forbidden',
    failure('connect EACCES', { code: 'EACCES' }),
    socket,
    'permission denied; run as root, or in the group that owns the socket',
  ],
  ['a refused connection', failure('x', { code: 'ECONNREFUSED' }), tcp, 'connection refused; is Docker running?'],
  ['a name that is not known', failure('getaddrinfo ENOENT', { code: 'ENOENT' }), tcp, 'getaddrinfo ENOENT'],
  [
    'an answer of the engine',
    failure('(HTTP code 500) it broke', { statusCode: 500 }),
    tcp,
    '(HTTP code 500) it broke',
  ],
  ['something that is no error', 'text', tcp, 'text'],
  ['something else over TLS', failure('it broke', { statusCode: 500 }), tls, 'it broke'],
  [
    'a certificate that is not valid yet',
    failure('certificate is not yet valid', { code: 'CERT_NOT_YET_VALID' }),
    tls,
    'its certificate is not yet valid; is the clock right here?',
  ],
])('tells the reason, and the mend: %s', (_what, error, host, reason) => {
  expect(reasonOf(error, host)).toBe(reason);
});

test.each([
  ['the engine knows no such container', failure('no such container', { statusCode: 404 }), true],
  ['the engine failed', failure('it broke', { statusCode: 500 }), false],
  ['no connection', failure('connect ENOENT', { code: 'ENOENT' }), false],
  ['something that is no error', { statusCode: 404 }, false],
])('only "there is none" is an answer: %s', (_what, error, expected) => {
  expect(isMissing(error)).toBe(expected);
});
