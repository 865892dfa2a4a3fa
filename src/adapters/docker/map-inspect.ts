import { constants } from 'node:os';
import type { ContainerInspectInfo } from 'dockerode';
import { parseIp, parsePort } from '../../core/address.js';
import type { HealthCheck } from '../../core/healthcheck.js';
import type { RegistrationLimits } from '../../core/registration-limits.js';
import type { ContainerPort, ContainerSnapshot, ContainerStatus } from '../../core/container.js';

/** Times in ns; 0 or nothing: Docker's default. */
interface InspectedHealthCheck {
  readonly Test?: readonly string[] | null | undefined;
  readonly Interval?: number | undefined;
  readonly Timeout?: number | undefined;
  readonly Retries?: number | undefined;
}

/** What we read of `docker inspect`. Whatever else the engine sends, or leaves out in a newer version, is of no matter. */
export type InspectedContainer = Pick<ContainerInspectInfo, 'Id' | 'Name' | 'Image'> & {
  readonly State: Pick<ContainerInspectInfo['State'], 'Running' | 'Paused' | 'StartedAt'> & {
    readonly Restarting?: boolean;
    readonly Health?: { readonly Status: string } | null | undefined;
  };
  readonly Config: {
    readonly Image: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Env?: readonly string[] | null;
    readonly ExposedPorts?: Readonly<Record<string, object>> | null;
    readonly StopSignal?: string | null;
    readonly Healthcheck?: InspectedHealthCheck | null | undefined;
  };
  readonly HostConfig: { readonly NetworkMode?: string | undefined };
  readonly NetworkSettings: {
    readonly Ports?: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
    > | null;
    readonly Networks?: Readonly<
      Record<string, { readonly IPAddress?: string; readonly GlobalIPv6Address?: string } | null>
    > | null;
  };
};

/** What is beyond the limits is not kept: a container may have ten megabytes of labels. */
export function snapshotOf(
  container: InspectedContainer,
  limits: Pick<RegistrationLimits, 'ports' | 'labelBytes'>,
): ContainerSnapshot {
  const { Id, Name, Image, State, Config, HostConfig, NetworkSettings } = container;
  const published = NetworkSettings.Ports ?? {};
  const names = new Set([...Object.keys(Config.ExposedPorts ?? {}), ...Object.keys(published)]);
  const ports = [...names]
    .flatMap((name) => portOf(name, published[name] ?? []))
    .sort((a, b) => a.containerPort - b.containerPort);
  const labels = Object.entries(Config.Labels ?? {});
  const labelBytes = bytesOf([...labels.flat(), ...(Config.Env ?? [])]);
  const areKept = labelBytes <= limits.labelBytes;
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    image: Config.Image,
    imageId: Image,
    status: statusOf(State),
    startedAt: State.StartedAt,
    health: healthOf(State.Health?.Status),
    healthCheck: State.Health == null ? null : healthCheckOf(Config.Healthcheck),
    hostNetwork: HostConfig.NetworkMode === 'host',
    networkOf: /^container:(.+)$/.exec(HostConfig.NetworkMode ?? '')?.[1] ?? null,
    networks: new Map(
      Object.entries(NetworkSettings.Networks ?? {}).map(([network, at]) => [
        network,
        [at?.IPAddress ?? '', at?.GlobalIPv6Address ?? ''].filter((address) => address !== ''),
      ]),
    ),
    labels: new Map(areKept ? labels : []),
    environment: new Map(areKept ? (Config.Env ?? []).map(splitVariable) : []),
    ports: ports.slice(0, limits.ports),
    beyond: { ports: Math.max(0, ports.length - limits.ports), labelBytes: areKept ? null : labelBytes },
    stopSignal: signalNumberOf(Config.StopSignal ?? 'SIGTERM'),
  };
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function statusOf({ Running, Paused, Restarting }: InspectedContainer['State']): ContainerStatus {
  if (Paused) return 'paused';
  if (Restarting === true) return 'restarting';
  return Running ? 'running' : 'stopped';
}

function healthOf(status: string | undefined): ContainerSnapshot['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none';
}

/** No command that asks for one address is longer. */
const longestCommand = 1024;

/** Docker's defaults are those of its reference of Dockerfiles: every 30s, 30s for an answer, three failures. */
function healthCheckOf(check: InspectedHealthCheck | null | undefined): HealthCheck | null {
  const [kind = 'NONE', ...words] = check?.Test ?? [];
  if (check == null || kind === 'NONE') return null;
  const command = words.join(' ');
  return {
    command: command.length > longestCommand ? '' : command,
    intervalMs: (check.Interval ?? 0) > 0 ? (check.Interval ?? 0) / 1e6 : 30_000,
    timeoutMs: (check.Timeout ?? 0) > 0 ? (check.Timeout ?? 0) / 1e6 : 30_000,
    retries: (check.Retries ?? 0) > 0 ? (check.Retries ?? 0) : 3,
  };
}

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return at === -1 ? [variable, ''] : [variable.slice(0, at), variable.slice(at + 1)];
}

/** `8000/tcp` and its bindings; nothing of what is no port, or no address, whatever an engine calls it. */
function portOf(
  name: string,
  bindings: readonly { readonly HostIp: string; readonly HostPort: string }[],
): ContainerPort[] {
  const [, text = '', protocol = ''] = /^(\d+)\/([a-z]{1,8})$/.exec(name) ?? [];
  const port = parsePort(text);
  if (!port.ok) return [];
  const published = bindings
    .map(({ HostIp, HostPort }) => [parseIp(HostIp === '' ? '0.0.0.0' : HostIp), parsePort(HostPort)] as const)
    .flatMap(([ip, at]) => (ip.ok && at.ok ? [{ hostIp: ip.value, hostPort: at.value }] : []));
  return [{ containerPort: port.value, protocol, published }];
}

/** `SIGQUIT`, `QUIT`, `3` or `RTMIN+3`: all that Docker takes as a stop signal. */
export function signalNumberOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  // glibc leaves 34 to 64 to programs (signal(7)); they are named from both ends.
  const [, end, offset = '0'] = /^RT(MIN|MAX)(?:[+-](\d+))?$/.exec(name) ?? [];
  if (end !== undefined) return end === 'MIN' ? 34 + Number(offset) : 64 - Number(offset);
  const signals: Readonly<Record<string, number | undefined>> = constants.signals;
  return signals[`SIG${name}`] ?? constants.signals.SIGTERM;
}
