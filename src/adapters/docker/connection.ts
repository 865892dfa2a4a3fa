import Docker from 'dockerode';
import type { DockerHost } from './host.js';

export function connectionTo(host: DockerHost): Docker {
  // Without a version in the path the engine answers in its own newest API, so there is nothing to negotiate.
  if (host.kind === 'unix') return new Docker({ socketPath: host.socketPath });
  const { host: name, port, tls } = host;
  if (tls === null) return new Docker({ protocol: 'http', host: name, port });
  return new Docker({ protocol: 'https', host: name, port, ca: tls.ca, cert: tls.certificate, key: tls.key });
}
