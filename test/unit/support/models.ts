import { formatAddress } from '../../../src/core/address.js';
import type { Configuration } from '../../../src/core/haproxy/configuration.js';
import { parseConfiguration } from '../../../src/core/haproxy/configuration-reader.js';
import { defaultAttributes, listenerAttributesOf } from '../../../src/core/attributes.js';
import type { HeldListener, Listener, Server } from '../../../src/core/haproxy/listener.js';
import type { Model } from '../../../src/core/haproxy/model.js';

export function serverWith(changes: Partial<Server> = {}): Server {
  const { weight, backup, maxconn, proxyProtocol, slowStartMs, healthcheckMs, zone, tags } = defaultAttributes;
  return {
    name: '0123456789ab',
    host: '10.170.71.226',
    port: 49153,
    weight,
    backup,
    maxconn,
    proxyProtocol,
    slowStartMs,
    healthcheckMs,
    zone,
    tags,
    stale: false,
    others: new Map(),
    ...changes,
  };
}

export function listenerWith(changes: Partial<Omit<Listener, 'name'>> = {}): Listener {
  const listener = {
    service: 'whoami',
    port: 8000,
    servicePort: changes.port ?? 8000,
    ...listenerAttributesOf(defaultAttributes),
    isOpen: true,
    routes: [],
    servers: [serverWith()],
    empty: null,
    ...changes,
  };
  return { ...listener, name: `${listener.service}:${String(listener.servicePort)}` };
}

export function modelWith(...listeners: readonly Listener[]): Model {
  return { listeners, refused: [], forbidden: [], beyond: [] };
}

export function heldWith(changes: Partial<Omit<Listener, 'name' | 'servers'>> = {}): HeldListener {
  const { name, service, servicePort, port, isOpen, routes, empty, ...others } = listenerWith(changes);
  return { name, service, servicePort, port, isOpen, routes, ...listenerAttributesOf(others), empty };
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
