import { createClientHosts } from '../../src/daemon/client-hosts.js';
import { silent } from './silent.js';
import type { Connected } from './fleet-orders.js';

let number = 0;

/** What docker-discover does to be counted as a client host. */
export async function holdClientHost(
  { clientHosts }: Pick<Connected, 'clientHosts'>,
  signal: AbortSignal,
): Promise<void> {
  number += 1;
  const hosts = createClientHosts({
    registry: clientHosts,
    key: `/backends-clients/host-${String(process.pid)}:${String(number)}`,
    value: 'docker-discover',
    ttlMs: 180_000,
    everyMs: 60_000,
    ...silent,
    onChange: () => undefined,
  });
  try {
    await hosts.run(signal);
  } catch (error) {
    if (!signal.aborted) console.error('a client host is not counted', error);
  }
}
