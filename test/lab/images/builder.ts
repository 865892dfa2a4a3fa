import { randomBytes } from 'node:crypto';
import { engineCache } from '../cache.js';
import { sweepCgroups } from '../cgroups.js';
import { withEngine } from '../engine.js';
import type { EngineHost } from '../engine.js';
import { builderEnv } from '../environment.js';
import { holdHost } from '../host.js';

const CGROUP = 'docker-discover-build';

/** Keeps its hands off the network of the machine, which is the one it has. */
const NETWORK_NEUTRAL = { bridge: 'none', iptables: false, ip6tables: false, 'ip-forward': false };

/** An engine in the machine's own network, for what needs the package registries: `docker build --network host`. */
export async function withBuilder<T>(
  signal: AbortSignal | undefined,
  work: (builder: EngineHost) => Promise<T>,
): Promise<T> {
  await sweepCgroups(CGROUP);
  const cgroup = `${CGROUP}.${randomBytes(4).toString('hex')}`;
  const dataRoot = await engineCache('builder');
  const spec = { name: 'builder', ip: '127.0.0.1', cgroup, network: 'machine', dataRoot, env: builderEnv() } as const;
  const held = await holdHost(spec, signal);
  try {
    const builder = await withEngine(held, cgroup, NETWORK_NEUTRAL);
    await builder.engine.start();
    const result = await work(builder);
    await builder.engine.stop();
    return result;
  } finally {
    await held.release();
  }
}
