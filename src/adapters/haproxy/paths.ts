import { join } from 'node:path';

/** Where the daemon and HAProxy meet, all below the run directory. */
export interface ProxyPaths {
  readonly config: string;
  readonly candidate: string;
  readonly masterSocket: string;
  readonly runtimeSocket: string;
  readonly serverState: string;
  /** The map of the HTTP entrance. */
  readonly routes: string;
}

export function proxyPathsOf(runDir: string): ProxyPaths {
  return {
    config: join(runDir, 'haproxy.cfg'),
    candidate: join(runDir, 'haproxy.cfg.candidate'),
    masterSocket: join(runDir, 'master.sock'),
    runtimeSocket: join(runDir, 'haproxy.sock'),
    serverState: join(runDir, 'server-state'),
    routes: join(runDir, 'routes.map'),
  };
}
