import { messageOf } from '../../core/errors.js';
import type { DockerHost } from './host.js';

/** The engine knows no container of that id; an answer, not a failure. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 404;
}

/** Why a call failed, with the mend where there is one to name. */
export function reasonOf(error: unknown, host: DockerHost): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (host.kind === 'unix' && code === 'ENOENT') {
    return `there is no such socket; is Docker running, and the socket mounted (-v /var/run/docker.sock:${host.socketPath})?`;
  }
  if (code === 'EACCES' || code === 'EPERM')
    return 'permission denied; run as root, or in the group that owns the socket';
  if (code === 'ECONNREFUSED') return 'connection refused; is Docker running?';
  const said = messageOf(error);
  if (host.kind === 'unix') return said;
  return (host.tls === null ? withoutTls(said) : withTls(said, String(code))) ?? said;
}

/** The words are those of Docker's own server, and of what Node makes of an answer that is no HTTP. */
function withoutTls(said: string): string | null {
  return /HTTP request to an HTTPS server|Parse Error|socket hang up|ECONNRESET/.test(said)
    ? `${said}; if it speaks TLS, set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH`
    : null;
}

/** The codes are those of Node, the words those of OpenSSL. */
function withTls(words: string, code: string): string | null {
  // OpenSSL has its place in its own source in it, and the end of the line.
  const said = /SSL routines:\w*:([^:]+)/.exec(words)?.[1] ?? words;
  if (/^(?:DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY))/.test(code))
    return `its certificate is not signed by a CA that is trusted here (${said}); ca.pem in DOCKER_CERT_PATH must be the certificate of that CA`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for other names than DOCKER_HOST has (${said}); give one of those, or it a certificate with this one`;
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return `its ${said}; is the clock right here?`;
  if (/ alert [a-z ]*(?:certificate|unknown ca)/.test(said))
    return `it refuses us (${said}): cert.pem in DOCKER_CERT_PATH must be signed by the CA which it trusts, and must not have expired`;
  if (code === 'EPROTO' || code === 'ECONNRESET' || code.startsWith('ERR_SSL_'))
    return `it breaks off each connection at its start (${said}); does it speak TLS? Without, leave DOCKER_TLS_VERIFY and DOCKER_CERT_PATH out`;
  return null;
}
