import type { Host } from './host.js';
import { managedProcess } from './managed-process.js';
import type { ManagedProcess } from './managed-process.js';

export interface EtcdHost extends Host, ManagedProcess {}

/**
 * A real etcd on the host's address and on its loopback. Its data outlives a restart of etcd, but not the host.
 *
 * @param cluster the hosts of all members, where there are several; they start together, as one waits for the others
 */
export async function withEtcd(host: Host, cluster: readonly Host[] = []): Promise<EtcdHost> {
  const clientUrl = `http://${host.ip}:2379`;
  const peerUrl = `http://${cluster.length === 0 ? '127.0.0.1' : host.ip}:2380`;
  const members = cluster.map(({ name, ip }) => `${name}=http://${ip}:2380`);
  const etcd = managedProcess(host, {
    name: 'etcd',
    command: [
      // Debian's etcd runs on arm64 as well, but wants to be told that we know.
      ...(process.arch === 'arm64' ? ['env ETCD_UNSUPPORTED_ARCH=arm64'] : []),
      `etcd --name ${host.name} --data-dir /run/lab/etcd`,
      `--listen-client-urls ${clientUrl},http://127.0.0.1:2379 --advertise-client-urls ${clientUrl}`,
      `--listen-peer-urls ${peerUrl} --initial-advertise-peer-urls ${peerUrl}`,
      `--initial-cluster ${members.join() || `${host.name}=${peerUrl}`}`,
    ].join(' '),
    ready: async () => (await host.run('etcdctl endpoint health --command-timeout 1s', { check: false })).code === 0,
  });
  await etcd.start();
  return { ...host, ...etcd };
}
