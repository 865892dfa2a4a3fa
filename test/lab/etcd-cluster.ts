import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostEnv } from './environment.js';
import { withEtcd } from './etcd.js';
import type { EtcdHost } from './etcd.js';
import { forwardTo } from './forward.js';
import type { Forward } from './forward.js';
import { holdHost } from './host.js';
import type { HeldHost } from './host.js';
import { networkOn } from './network.js';
import { settled } from './settled.js';

/** A member of a real cluster of three, each on a host of its own. */
export interface ClusterMember extends EtcdHost {
  /** `host:port` on the machine's loopback, which leads to the member; its cable has no part in it. */
  readonly address: string;
}

export interface EtcdCluster {
  readonly members: readonly ClusterMember[];
  /** The member that leads now, or undefined during an election. */
  leader(): Promise<ClusterMember | undefined>;
  /** Pulls the member's cable: it reaches no other member, but clients still reach it. */
  cut(member: ClusterMember): Promise<void>;
  mend(member: ClusterMember): Promise<void>;
  stop(): Promise<void>;
}

export async function startEtcdCluster(): Promise<EtcdCluster> {
  const dataRoot = await mkdtemp(join(tmpdir(), 'etcd-cluster-'));
  const cgroup = `docker-discover-lab.${randomBytes(4).toString('hex')}`;
  const held: HeldHost[] = [];
  const forwards: Forward[] = [];
  const stop = async (): Promise<void> => {
    await settled(forwards.splice(0).map((forward) => forward.close()));
    await settled(held.splice(0).map((host) => host.release()));
    await rm(dataRoot, { recursive: true, force: true });
  };
  const hold = async (name: string, ip: string): Promise<HeldHost> => {
    const spec = { name, ip, cgroup: `${cgroup}.${name}`, network: 'own', dataRoot, env: hostEnv() } as const;
    const host = await holdHost(spec);
    held.push(host);
    return host;
  };

  try {
    const network = await networkOn(await hold('switch', ''));
    const hosts = await settled(
      [1, 2, 3].map(async (number) => {
        const host = await hold(`etcd-${String(number)}`, `198.18.0.${String(9 + number)}`);
        await network.plug(host);
        return host;
      }),
    );
    const members = await settled(
      hosts.map(async (host): Promise<ClusterMember> => {
        const etcd = await withEtcd(host, hosts);
        const forward = await forwardTo(host, 2379);
        forwards.push(forward);
        return { ...etcd, address: `127.0.0.1:${String(forward.port)}` };
      }),
    );
    return {
      members,
      leader: async () => {
        const answers = await Promise.all(members.map(isLeader));
        return members[answers.indexOf(true)];
      },
      cut: (member) => network.cut(member),
      mend: (member) => network.mend(member),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function isLeader(member: ClusterMember): Promise<boolean> {
  const { code, stdout } = await member.run('etcdctl endpoint status -w json --command-timeout 1s', { check: false });
  if (code !== 0) return false;
  const [{ Status: status }] = JSON.parse(stdout) as [{ Status: { header: { member_id: number }; leader: number } }];
  return status.leader !== 0 && status.leader === status.header.member_id;
}
