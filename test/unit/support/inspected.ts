import type { InspectedContainer } from '../../../src/adapters/docker/map-inspect.js';
import { containerId, startedAt } from './containers.js';

type Part<K extends keyof InspectedContainer> = Partial<InspectedContainer[K]>;

/** `docker inspect` of a running container without ports, as far as we read it. */
export function inspected(
  changes: {
    readonly State?: Part<'State'>;
    readonly Config?: Part<'Config'>;
    readonly HostConfig?: InspectedContainer['HostConfig'];
    readonly Ports?: InspectedContainer['NetworkSettings']['Ports'];
    readonly Networks?: NonNullable<InspectedContainer['NetworkSettings']['Networks']>;
  } = {},
): InspectedContainer {
  return {
    Id: containerId('0123456789abcdef'),
    Name: '/whoami-1',
    Image: `sha256:${'4'.repeat(64)}`,
    State: { Running: true, Paused: false, StartedAt: startedAt, ...changes.State },
    Config: { Image: 'jwilder/whoami', ...changes.Config },
    HostConfig: changes.HostConfig ?? { NetworkMode: 'default' },
    NetworkSettings: { Ports: changes.Ports ?? {}, Networks: changes.Networks ?? {} },
  };
}
