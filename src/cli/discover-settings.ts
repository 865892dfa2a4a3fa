import { Option } from 'commander';
import { openFilesLimit } from '../adapters/open-files.js';
import type { ProxyPaths } from '../adapters/haproxy/paths.js';
import { parseBindHost, type BindAddress } from '../core/haproxy/bind.js';
import { listenerMaxconnOf } from '../core/haproxy/capacity.js';
import type { FixedBind } from '../core/haproxy/fixed-binds.js';
import type { ProxySettings } from '../core/haproxy/view.js';
import { accept, type Parsed } from '../core/result.js';
import { checkOptions, type CheckSettings } from './check-settings.js';
import { entranceOf, entranceOptions, type EntranceSettings } from './entrance-settings.js';
import { execOptions, type ExecSettings } from './exec-settings.js';
import { policyOptions, type PolicySettings } from './policy-settings.js';
import {
  by,
  durationOption,
  metricsBindOption,
  parseYesNo,
  quietPeriodOptions,
  sharedOptions,
  statusBindOption,
  type QuietSettings,
  type SharedSettings,
} from './options.js';
import { statsAuthOf, statsOptions, type StatsSettings } from './stats-settings.js';

export interface DiscoverSettings
  extends SharedSettings, QuietSettings, PolicySettings, StatsSettings, EntranceSettings, ExecSettings, CheckSettings {
  readonly poll: number;
  readonly bind: readonly string[];
  readonly statusBind: BindAddress | 'none';
  readonly template?: string;
  readonly haproxy: string;
  readonly stateDir: string;
  readonly stale: number;
  readonly linger: number;
  readonly reloadInterval: number;
  readonly drainDeadline: number;
  readonly hardStopAfter: number;
  readonly accessLog: boolean;
  readonly stopTimeout: number;
}

export function discoverOptions(): Option[] {
  const [etcdHost, ...others] = sharedOptions('docker-discover');
  if (etcdHost === undefined) throw new RangeError('no option for etcd');
  return [
    etcdHost,
    new Option(
      '--bind <addresses>',
      'addresses on which the services are offered: * is every IPv4 address, :: every address; several separated by commas',
    )
      .env('BIND')
      .argParser(by(parseBindHosts))
      .default(['*'], '*'),
    ...statsOptions(),
    metricsBindOption(9936),
    statusBindOption(),
    ...entranceOptions(),
    ...execOptions(),
    ...policyOptions(),
    ...checkOptions(),
    new Option(
      '--template <path>',
      'Mustache template of haproxy.cfg, or a directory of parts of it (default: the one that is built in)',
    ).env('TEMPLATE'),
    new Option(
      '--access-log [yes|no]',
      'log every request and connection: a line each, which costs the daemon and HAProxy time',
    )
      .env('ACCESS_LOG')
      .argParser(by(parseYesNo))
      .preset('yes')
      .default(false, 'no'),
    new Option('--haproxy <path>', 'the program haproxy').env('HAPROXY').default('haproxy'),
    new Option(
      '--state-dir <path>',
      'directory of the last known good state, which is served after a restart until etcd answers',
    )
      .env('STATE_DIR')
      .default('/var/lib/docker-discover'),
    ...quietPeriodOptions(10, 200),
    ...durations().map(durationOption),
    ...others,
  ];
}

function durations(): Parameters<typeof durationOption>[0][] {
  const hourMs = 3_600_000;
  return [
    {
      flags: '--poll',
      env: 'POLL',
      description: 'time between two looks at etcd beside the watch',
      defaultMs: 5_000,
      leastMs: 500,
      mostMs: hourMs,
    },
    {
      flags: '--stale',
      env: 'STALE',
      description:
        'how long endpoints whose registrations expired without a withdrawal are kept, while health checks decide over them; 0s: not at all',
      defaultMs: 600_000,
      leastMs: 0,
      mostMs: 24 * hourMs,
    },
    {
      flags: '--linger',
      env: 'LINGER',
      description: 'how long a listener stays after its last endpoint went',
      defaultMs: 60_000,
      leastMs: 0,
      mostMs: 24 * hourMs,
    },
    {
      flags: '--reload-interval',
      env: 'RELOAD_INTERVAL',
      description: 'least time between two reloads',
      defaultMs: 1_000,
      leastMs: 0,
      mostMs: hourMs,
    },
    {
      flags: '--drain-deadline',
      env: 'DRAIN_DEADLINE',
      description: 'how long the connections of an endpoint that went may live on',
      defaultMs: 600_000,
      leastMs: 0,
      mostMs: 24 * hourMs,
    },
    {
      flags: '--hard-stop-after',
      env: 'HARD_STOP_AFTER',
      description: 'how long an old worker may finish its connections after a reload',
      defaultMs: 900_000,
      leastMs: 1_000,
      mostMs: 24 * hourMs,
    },
    {
      flags: '--stop-timeout',
      env: 'STOP_TIMEOUT',
      description: 'how long connections may finish when the daemon stops; docker stop itself waits 10s',
      defaultMs: 8_000,
      leastMs: 0,
      mostMs: hourMs,
    },
  ];
}

/** @throws SettingError where two settings do not go together */
export async function proxySettingsOf(settings: DiscoverSettings, paths: ProxyPaths): Promise<ProxySettings> {
  return {
    bind: settings.bind,
    ...entranceOf(settings, settings.statsBind),
    statsAuth: statsAuthOf(settings),
    runtimeSocket: paths.runtimeSocket,
    serverStateFile: paths.serverState,
    routesFile: paths.routes,
    hardStopAfterSeconds: Math.ceil(settings.hardStopAfter / 1000),
    accessLog: settings.accessLog,
    listenerMaxconn: settings.listenerMaxconn ?? listenerMaxconnOf(await openFilesLimit(null)),
  };
}

/** Ports of our own, which no service may have, and what they are for. */
export function reservedPorts(
  { metricsBind, statusBind }: Pick<DiscoverSettings, 'metricsBind' | 'statusBind'>,
  fixed: readonly FixedBind[],
): ReadonlyMap<number, string> {
  return new Map([
    ...(metricsBind === 'none' ? [] : [[metricsBind.port, 'metrics of docker-discover'] as const]),
    ...(statusBind === 'none' ? [] : [[statusBind.port, 'status page of docker-discover'] as const]),
    ...fixed.map(({ name, bind }) => [bind.port, name] as const),
  ]);
}

function parseBindHosts(text: string): Parsed<readonly string[]> {
  const hosts: string[] = [];
  for (const part of text.split(',')) {
    const host = parseBindHost(part.trim());
    if (!host.ok) return host;
    hosts.push(host.value);
  }
  return accept([...new Set(hosts)]);
}
