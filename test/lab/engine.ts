import type { Host } from './host.js';
import { managedProcess } from './managed-process.js';
import type { ManagedProcess } from './managed-process.js';

export interface EngineHost extends Host {
  readonly engine: ManagedProcess;
  restartEngine(): Promise<void>;
}

/** Gives the host a Docker engine, which has its things at the places where every engine has them. */
export async function withEngine(host: Host, cgroup: string, settings: object = {}): Promise<EngineHost> {
  const config = {
    // An engine that finds systemd would make slices of the machine's; plain cgroups of our own are ours to remove.
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'cgroup-parent': `/${cgroup}`,
    'shutdown-timeout': 5,
    ...settings,
  };
  await host.run('mkdir -p /run/lab/docker-cli && cat >/run/lab/daemon.json', { input: JSON.stringify(config) });
  const engine = managedProcess(host, {
    name: 'dockerd',
    command: 'dockerd --config-file /run/lab/daemon.json',
    ready: async () => (await host.run('docker version', { check: false })).code === 0,
  });
  const restartEngine = async (): Promise<void> => {
    await engine.stop();
    await engine.start();
  };
  return { ...host, engine, restartEngine };
}

/** An engine keeps its data root from run to run for the sake of the images; everything else in it goes. */
export async function emptyEngine(host: Host): Promise<void> {
  await host.run('docker ps -aq | xargs -r docker rm -f -v');
  await Promise.all([host.run('docker network prune -f'), host.run('docker volume prune -f')]);
}
