import type { ContainerSnapshot } from '../../src/core/container.js';
import type { ContainerEngine, ContainerEvent } from '../../src/ports/container-engine.js';

/** The engine of one host of a fleet, at the port: what Docker itself costs is not the question there. */
export interface FleetEngine {
  readonly engine: ContainerEngine;
  /** One container, the oldest, is replaced by a new one on the same host port. */
  replaceOne(): void;
}

const services = 100;

/** @param host its number; the containers of all hosts together make 100 services */
export function createFleetEngine(host: number, count: number): FleetEngine {
  const containers = new Map<string, ContainerSnapshot>();
  let tell: (event: ContainerEvent) => void = () => undefined;
  let born = 0;

  const create = (slot: number): ContainerSnapshot => {
    const number = born * 100_000 + host;
    born += 1;
    const service = `service-${String((host * count + slot) % services)}`;
    const container: ContainerSnapshot = {
      id: number.toString(16).padStart(12, '0').padEnd(64, '0'),
      name: `${service}.${String(slot)}`,
      image: `registry.example/team/${service}:1.0`,
      imageId: `sha256:${'b'.repeat(64)}`,
      status: 'running',
      startedAt: new Date().toISOString(),
      health: 'none',
      healthCheck: null,
      hostNetwork: false,
      networkOf: null,
      networks: new Map([['bridge', ['172.17.0.2']]]),
      labels: new Map([['com.docker.compose.project', 'example']]),
      environment: new Map([['NODE_ENV', 'production']]),
      ports: [{ containerPort: 8000, protocol: 'tcp', published: [{ hostIp: '0.0.0.0', hostPort: 20_000 + slot }] }],
      beyond: { ports: 0, labelBytes: null },
      stopSignal: 15,
    };
    containers.set(container.id, container);
    return container;
  };
  for (let slot = 0; slot < count; slot += 1) create(slot);

  return {
    engine: {
      list: () => Promise.resolve({ containers: [...containers.values()], silent: [] }),
      inspect: (id) => Promise.resolve(containers.get(id) ?? null),
      follow: ({ onOpen, onEvent }, signal) =>
        new Promise((resolve) => {
          tell = onEvent;
          signal.addEventListener(
            'abort',
            () => {
              resolve();
            },
            { once: true },
          );
          onOpen();
        }),
    },

    replaceOne() {
      const [old] = containers.values();
      if (old === undefined) throw new RangeError(`host ${String(host)} has no container`);
      containers.delete(old.id);
      const slot = (old.ports[0]?.published[0]?.hostPort ?? 0) - 20_000;
      const { id } = create(slot);
      tell({ id: old.id, action: 'die', signal: null, atMs: Date.now() });
      tell({ id, action: 'start', signal: null, atMs: Date.now() });
    },
  };
}
