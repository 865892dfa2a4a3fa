/** The environment of a command in a host: no proxy, no Docker setting of the machine's user. */
export function hostEnv(): NodeJS.ProcessEnv {
  return { PATH: path(), HOME: '/root', LANG: 'C.UTF-8', TERM: process.env['TERM'], ETCDCTL_API: '3', ...DOCKER };
}

/** The environment of a builder: the machine's, with its proxies and certificates. */
export function builderEnv(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('DOCKER_'));
  // The classic builder: what Debian 12 has, and the one that takes `--network host` from the engine's own flags.
  return { ...Object.fromEntries(own), PATH: path(), ...DOCKER, DOCKER_BUILDKIT: '0' };
}

const DOCKER = { DOCKER_CONFIG: '/run/lab/docker-cli' };

function path(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
}
