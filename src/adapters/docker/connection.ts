import Docker from 'dockerode';
import type { DockerHost } from './host.js';

export function connectionTo(host: DockerHost): Docker {
  // Without a version in the path the engine answers in its own newest API, so there is nothing to negotiate.
  return new Docker(
    host.kind === 'unix' ? { socketPath: host.socketPath } : { protocol: 'http', host: host.host, port: host.port },
  );
}
