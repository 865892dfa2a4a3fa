import { randomBytes } from 'node:crypto';
import { engineCache } from './cache.js';
import { sweepCgroups } from './cgroups.js';
import { emptyEngine, withEngine } from './engine.js';
import type { EngineHost } from './engine.js';
import { hostEnv } from './environment.js';
import { withEtcd } from './etcd.js';
import type { EtcdHost } from './etcd.js';
import { forwardTo } from './forward.js';
import type { Forward } from './forward.js';
import { holdHost } from './host.js';
import type { HeldHost, Host } from './host.js';
import { ensureImages, loadImages } from './images.js';
import { takeLock } from './lock.js';
import { networkOn } from './network.js';
import { settled } from './settled.js';

export type { EngineHost } from './engine.js';
export type { EtcdHost } from './etcd.js';
export type { Host } from './host.js';

export interface Lab {
  readonly etcd: EtcdHost;
  readonly client: EngineHost;
  readonly clients: readonly [EngineHost, ...EngineHost[]];
  readonly backends: readonly [EngineHost, EngineHost, ...EngineHost[]];
  /** Pulls the host's network cable: connections are not reset, only silent. */
  cut(host: Host): Promise<void>;
  mend(host: Host): Promise<void>;
  /** A port on the machine's loopback that leads to a port on the host's loopback. */
  forward(host: Host, port: number): Promise<Forward>;
  stop(): Promise<void>;
}

export interface LabOptions {
  readonly log?: (line: string) => void;
  /** More than the two back-end hosts: backend-1 is 198.18.0.20, backend-2 is 198.18.0.21, ... */
  readonly moreBackends?: number;
  /** More than the one client host: client is 198.18.0.30, client-2 is 198.18.0.31, ... */
  readonly moreClients?: number;
  /** When it aborts, all hosts vanish at once; stop() (or the rejection of startLab) then waits until they are gone. */
  readonly signal?: AbortSignal;
}

/** The hosts with the images loaded and no container. There is one lab at a time per machine: a second one waits. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { log = () => undefined, moreBackends = 0, moreClients = 0, signal } = options;
  const lock = await takeLock('lab', log, signal);
  const cgroup = `docker-discover-lab.${randomBytes(4).toString('hex')}`;
  const held: HeldHost[] = [];
  const engines: EngineHost[] = [];
  const forwards: Forward[] = [];

  const stop = async (): Promise<void> => {
    try {
      await settled(forwards.splice(0).map((forward) => forward.close()));
      await settled(engines.splice(0).map((host) => shutDown(host, signal)));
    } finally {
      await settled(held.splice(0).map((host) => host.release())).finally(() => lock.release());
    }
  };

  try {
    await sweepCgroups('docker-discover-lab');
    const hold = async (name: string, ip: string): Promise<HeldHost> => {
      const dataRoot = await engineCache(name);
      const host = await holdHost(
        { name, ip, cgroup: `${cgroup}.${name}`, network: 'own', dataRoot, env: hostEnv() },
        signal,
      );
      held.push(host);
      return host;
    };
    log('lab: hosts and network');
    const network = await networkOn(await hold('switch', ''));
    const plug = async (name: string, ip: string): Promise<HeldHost> => {
      const host = await hold(name, ip);
      await network.plug(host);
      return host;
    };
    const images = ensureImages(log, signal);
    const engineHost = async (name: string, ip: string): Promise<EngineHost> => {
      const host = await withEngine(await plug(name, ip), `${cgroup}.${name}`);
      engines.push(host);
      await host.engine.start();
      await emptyEngine(host);
      await loadImages(host, await images, log);
      return host;
    };
    const more = (name: string, count: number, { number, ip }: { number: number; ip: number }): Promise<EngineHost>[] =>
      Array.from({ length: count }, (_, i) => engineHost(`${name}-${String(number + i)}`, ipOf(ip + i)));

    log('lab: engines and etcd');
    const [etcd, client, backend1, backend2, clients, backends] = await settled([
      plug('etcd', ipOf(10)).then(withEtcd),
      engineHost('client', ipOf(30)),
      engineHost('backend-1', ipOf(20)),
      engineHost('backend-2', ipOf(21)),
      settled(more('client', moreClients, { number: 2, ip: 31 })),
      settled(more('backend', moreBackends, { number: 3, ip: 22 })),
      images,
    ]);
    const forward = async (host: Host, port: number): Promise<Forward> => {
      const result = await forwardTo(host, port);
      forwards.push(result);
      return result;
    };
    log('lab: up');
    return {
      etcd,
      client,
      clients: [client, ...clients],
      backends: [backend1, backend2, ...backends],
      cut: (host) => network.cut(host),
      mend: (host) => network.mend(host),
      forward,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function ipOf(last: number): string {
  return `198.18.0.${String(last)}`;
}

/** Leaves the data root of an engine in good order for the next run; not needed for the rest. */
async function shutDown(host: EngineHost, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted || !host.engine.running()) return;
  await host.engine.resume();
  await emptyEngine(host);
  await host.engine.stop();
}
