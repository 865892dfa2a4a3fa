import { SHELL, runCommand } from './command.js';
import type { Host } from './host.js';

/** A bridge in a namespace of its own, into which every host plugs its eth0: the machine's network has no part in it. */
export interface Network {
  plug(host: Host): Promise<void>;
  cut(host: Host): Promise<void>;
  mend(host: Host): Promise<void>;
}

export async function networkOn(hub: Host): Promise<Network> {
  await hub.run('ip link add lab type bridge && ip link set lab up');
  return {
    plug: async (host) => {
      // Only the network namespace is entered, not the PID namespace: the host's PID is the machine's.
      const port = `ip link add ${host.name} type veth peer name eth0 netns ${String(host.pid)} && ip link set ${host.name} master lab up`;
      await runCommand(['nsenter', '-t', String(hub.pid), '-n', '--', ...SHELL, port]);
      await host.run(`ip addr add ${host.ip}/15 dev eth0 && ip link set eth0 up`);
    },
    cut: async (host) => {
      await hub.run(`ip link set ${host.name} down`);
    },
    mend: async (host) => {
      await hub.run(`ip link set ${host.name} up`);
    },
  };
}
