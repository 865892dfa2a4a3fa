#!/usr/bin/env node
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { askReady } from '../adapters/control/client.js';
import { serveControl } from '../adapters/control/server.js';
import { createContainerEngine } from '../adapters/docker/engine.js';
import { formatDockerHost, parseDockerHost, type DockerHost } from '../adapters/docker/host.js';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { parseChangeRate } from '../core/change-rate.js';
import { keyspaceOf } from '../core/keyspace.js';
import { parseNaming, type Naming } from '../core/naming.js';
import { isLoopback } from '../core/address.js';
import { createRegister } from '../daemon/register.js';
import { runTasks } from '../daemon/lifecycle.js';
import { hostIpMissing, parseHostIp } from './host-ip.js';
import { createLogger } from './log.js';
import { etcdHostMissing, main, refuseArguments, required, runUntilSignal } from './main.js';
import {
  by,
  durationOption,
  parseYesNo,
  quietOf,
  quietPeriodOptions,
  sharedOptions,
  type QuietSettings,
  type SharedSettings,
} from './options.js';
import { printRegistrations } from './register-ls.js';
import { packageVersion } from './version.js';

interface Settings extends SharedSettings, QuietSettings {
  readonly hostIp?: string;
  readonly ttl: number;
  readonly resync: number;
  readonly dockerHost: DockerHost;
  readonly nameBy: Naming;
  readonly changeRate: number;
  readonly withdrawOnExit: boolean;
}

const program = new Command('docker-register')
  .description('Writes the published ports of this host’s containers to etcd, and keeps them there while they run.')
  .version(packageVersion())
  .exitOverride()
  .allowExcessArguments()
  .showHelpAfterError('(--help tells the settings)');

const [etcdHost, ...others] = sharedOptions('docker-register');
if (etcdHost === undefined) throw new RangeError('no option for etcd');
const options = [
  new Option('--host-ip <address>', 'address at which client hosts reach this host (required)')
    .env('HOST_IP')
    .argParser(by(parseHostIp)),
  etcdHost,
  new Option('--docker-host <url>', 'the Docker engine: unix:///path or tcp://host:port')
    .env('DOCKER_HOST')
    .argParser(by(parseDockerHost))
    .default({ kind: 'unix', socketPath: '/var/run/docker.sock' } satisfies DockerHost, 'unix:///var/run/docker.sock'),
  new Option('--name-by <naming>', 'how services are named: image, repository, label:NAME or env:NAME')
    .env('NAME_BY')
    .argParser(by(parseNaming))
    .default({ kind: 'image' } satisfies Naming, 'image'),
  durationOption({
    flags: '--ttl',
    env: 'TTL',
    description: 'time after which etcd forgets this host when it is silent',
    defaultMs: 15_000,
    leastMs: 3_000,
    mostMs: 3_600_000,
  }),
  durationOption({
    flags: '--resync',
    env: 'RESYNC',
    description: 'time between two looks at everything, should an event be missed',
    defaultMs: 60_000,
    leastMs: 1_000,
    mostMs: 3_600_000,
  }),
  ...quietPeriodOptions(5, 100),
  new Option(
    '--change-rate <number>',
    'changes per second that one container may make on average (it comes, it goes; ten in a row are free); one that makes more is kept out meanwhile; 0 is no limit',
  )
    .env('CHANGE_RATE')
    .argParser(by(parseChangeRate))
    .default(1),
  new Option(
    '--withdraw-on-exit [yes|no]',
    'remove the registrations at the end; otherwise they stay for the TTL, so that an upgrade is not noticed',
  )
    .env('WITHDRAW_ON_EXIT')
    .argParser(by(parseYesNo))
    .preset('yes')
    .default(false, 'no'),
  ...others,
];
for (const option of options) program.addOption(option);

program.action(async () => {
  refuseArguments(program);
  const settings = program.opts<Settings>();
  const { prefix, dockerHost, nameBy, ttl, resync, withdrawOnExit, runDir } = settings;
  const hostIp = required(settings.hostIp, hostIpMissing());
  const hosts = required(settings.etcdHost, etcdHostMissing);

  const log = createLogger('docker-register', settings);
  log.info(
    { hostIp, etcd: hosts, docker: formatDockerHost(dockerHost), prefix, version: packageVersion() },
    'starting',
  );
  if (isLoopback(hostIp))
    log.warn({ hostIp }, 'HOST_IP is a loopback address: only this host itself reaches its services');
  const client = createEtcdClient(hosts);
  const register = createRegister({
    engine: createContainerEngine(dockerHost),
    registry: createRegistry({ client, hosts, keyspace: keyspaceOf(prefix) }),
    prefix,
    policy: { hostIp, naming: nameBy },
    ttlMs: ttl,
    resyncMs: resync,
    quiet: quietOf(settings),
    changeRate: settings.changeRate,
    withdrawOnExit,
    log,
  });
  const control = { isReady: () => register.status().ready, status: () => Promise.resolve(register.status()) };
  try {
    await runUntilSignal((signal) =>
      runTasks([(both) => register.run(both), (both) => serveControl(socketOf(runDir), control, both)], signal),
    );
    log.info('stopped');
  } finally {
    client.close();
  }
});

program
  .command('ls')
  .description('print what is registered for this host')
  .option('--json', 'as JSON')
  .action(async (_options, command: Command) => {
    const { json, prefix, ...settings } = command.optsWithGlobals<Settings & { json?: boolean }>();
    const hostIp = required(settings.hostIp, hostIpMissing());
    const hosts = required(settings.etcdHost, etcdHostMissing);
    const client = createEtcdClient(hosts);
    try {
      const registry = createRegistry({ client, hosts, keyspace: keyspaceOf(prefix) });
      await printRegistrations({ registry, prefix, hostIp, json: json === true });
    } finally {
      client.close();
    }
  });

program
  .command('healthcheck')
  .description('ask the daemon that runs here whether everything has been registered once; exit code 0 or 1')
  .action(async (_options, command: Command) => {
    const ready = await askReady(socketOf(command.optsWithGlobals<Settings>().runDir));
    if (!ready) throw new Error('not ready: nothing has been registered yet; the log tells why');
  });

function socketOf(runDir: string): string {
  return join(runDir, 'control.sock');
}

await main(program);
