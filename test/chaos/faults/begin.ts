import type { EngineHost, Host } from '../../lab/lab.js';
import { backends, clients, type BackendName, type ClientName, type Target } from '../kinds.js';
import type { Stage } from '../stage.js';

/** Begins a fault; what it resolves with ends it. */
export type Begin = (stage: Stage, target: Target) => Promise<() => Promise<void>>;

export const nothing = (): Promise<void> => Promise.resolve();

export function backendNamed(target: Target): BackendName {
  return one(backends, target);
}

export function clientNamed(target: Target): ClientName {
  return one(clients, target);
}

function one<T extends string>(names: readonly T[], target: string): T {
  const found = names.find((name) => name === target);
  if (found === undefined) throw new Error(`a fault that hits one of ${names.join(', ')} can not hit ${target}`);
  return found;
}

/** What etcd sends does not arrive; before Docker's own rules, so that its containers don't hear it either. */
export async function deaf({ lab }: Stage, hosts: readonly Host[]): Promise<() => Promise<void>> {
  const rule = `PREROUTING -s ${lab.etcd.ip} -j DROP`;
  await Promise.all(hosts.map((host) => host.run(`iptables -w -t mangle -I ${rule}`)));
  return async () => {
    await Promise.all(hosts.map((host) => host.run(`iptables -w -t mangle -D ${rule}`)));
  };
}

/** The daemon alone gets SIGSTOP: not what else runs in its container. */
export async function frozen(host: EngineHost, container: string): Promise<() => Promise<void>> {
  const table = await host.docker('top', container, '-o', 'pid,args');
  const pid = new RegExp(`^\\s*(\\d+)\\s+(?:\\S+/)?node \\S*${container}$`, 'm').exec(table)?.[1];
  if (pid === undefined) throw new Error(`there is no daemon in ${container}:\n${table}`);
  await host.run(`kill -STOP ${pid}`);
  return async () => {
    await host.run(`kill -CONT ${pid}`);
  };
}
