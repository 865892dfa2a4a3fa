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
  return messageOf(error);
}
