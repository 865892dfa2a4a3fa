import { formatAddress } from '../../../src/core/address.js';
import { parseConfiguration, type Configuration } from '../../../src/core/haproxy/configuration.js';
import type { HeldListener, Listener, Model, Server } from '../../../src/core/haproxy/model.js';

export function serverWith(changes: Partial<Server> = {}): Server {
  return { name: '0123456789ab', host: '10.170.71.226', port: 49153, weight: 1, stale: false, ...changes };
}

export function listenerWith(changes: Partial<Omit<Listener, 'name'>> = {}): Listener {
  const listener = {
    service: 'whoami',
    port: 8000,
    mode: 'tcp',
    balance: 'roundrobin',
    check: null,
    servers: [serverWith()],
    empty: null,
    ...changes,
  } as const;
  return { ...listener, name: `${listener.service}:${String(listener.port)}` };
}

export function modelWith(...listeners: readonly Listener[]): Model {
  return { listeners, refused: [] };
}

export function heldWith(changes: Partial<Omit<Listener, 'name' | 'servers'>> = {}): HeldListener {
  const { name, service, port, mode, balance, check, empty } = listenerWith(changes);
  return { name, service, port, mode, balance, check, empty };
}

/** A configuration as short as one can be that has the listeners of a model. */
export function configurationOf({ listeners }: Model): Configuration {
  const lines = listeners.flatMap(({ name, mode, balance, servers }) => [
    `listen ${name}`,
    `mode ${mode}`,
    `balance ${balance}`,
    ...servers.map((server) => `server ${server.name} ${formatAddress(server)} weight ${String(server.weight)} check`),
  ]);
  return parseConfiguration(lines.join('\n'));
}
