import type { ContainerPort, ContainerSnapshot } from '../../../src/core/container.js';

/** When the containers of the tests were started. */
export const startedAt = '2026-11-23T11:05:00.123456789Z';

/** A container id of 64 hex digits, told apart by its first ones. */
export function containerId(start: string): string {
  return start.padEnd(64, '0');
}

/** A port that is published on every address of the host, as Docker lists it: for IPv4 and for IPv6. */
export function publishedPort(containerPort: number, hostPort = containerPort, protocol = 'tcp'): ContainerPort {
  return { containerPort, protocol, published: ['0.0.0.0', '::'].map((hostIp) => ({ hostIp, hostPort })) };
}

/** A running container of `jwilder/whoami` with port 8000 published on 49153. */
export function containerWith(changes: Partial<ContainerSnapshot> = {}): ContainerSnapshot {
  return {
    id: containerId('0123456789abcdef'),
    name: 'whoami-1',
    image: 'jwilder/whoami:latest',
    imageId: `sha256:${'4'.repeat(64)}`,
    status: 'running',
    startedAt,
    health: 'none',
    healthCheck: null,
    hostNetwork: false,
    networkOf: null,
    networks: new Map([['bridge', ['172.17.0.2']]]),
    labels: new Map(),
    environment: new Map(),
    ports: [publishedPort(8000, 49153)],
    beyond: { ports: 0, labelBytes: null },
    stopSignal: 15,
    ...changes,
  };
}
