import { hostname } from 'node:os';
import type { EtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { keyspaceOf } from '../core/keyspace.js';
import { createClientHosts, type ClientHosts } from '../daemon/client-hosts.js';
import type { Logger } from '../ports/log.js';
import { clientNameOf, clientsPrefixOf } from './check-settings.js';
import type { DiscoverSettings } from './discover-settings.js';
import { packageVersion } from './version.js';

/** Long, since nothing hurries: checks become rarer within a minute, and more frequent only after ten. */
const ttlMs = 180_000;
const everyMs = 60_000;

/** The client hosts by the settings: as many as these say, or counted in etcd. */
export function clientHostsOf({
  settings,
  etcd,
  hosts,
  log,
  onChange,
}: {
  readonly settings: Pick<DiscoverSettings, 'clientHosts' | 'prefix' | 'runDir'>;
  readonly etcd: EtcdClient;
  /** For messages. */
  readonly hosts: readonly string[];
  readonly log: Logger;
  readonly onChange: () => void;
}): ClientHosts {
  const { clientHosts, prefix, runDir } = settings;
  if (clientHosts !== 'auto') return { count: () => clientHosts, run: () => Promise.resolve() };
  const keyspace = keyspaceOf(clientsPrefixOf(prefix));
  return createClientHosts({
    registry: createRegistry({ client: etcd, hosts, keyspace, entries: 'the key of this client host' }),
    key: `${keyspace}${clientNameOf(hostname(), runDir)}`,
    value: `docker-discover ${packageVersion()}`,
    ttlMs,
    everyMs,
    log,
    onChange,
  });
}

/** How many there are now, for a command beside the daemon; null where etcd does not tell. */
export async function countClientHosts(
  { clientHosts, prefix }: Pick<DiscoverSettings, 'clientHosts' | 'prefix'>,
  etcd: EtcdClient,
): Promise<number | null> {
  if (clientHosts !== 'auto') return clientHosts;
  const registry = createRegistry({ client: etcd, hosts: [], keyspace: keyspaceOf(clientsPrefixOf(prefix)) });
  return registry.countKeys(AbortSignal.timeout(5_000)).catch(() => null);
}
