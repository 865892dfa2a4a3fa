import { join } from 'node:path';
import { Command } from 'commander';
import { askReady, askStatus } from '../adapters/control/client.js';
import { serveControl } from '../adapters/control/server.js';
import { createContainerEngine } from '../adapters/docker/engine.js';
import { formatDockerHost } from '../adapters/docker/host.js';
import { ownContainerId } from '../adapters/docker/own-container.js';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { keyspaceOf } from '../core/keyspace.js';
import { SettingError } from '../core/errors.js';
import { isLoopback } from '../core/address.js';
import { registerMetrics } from '../core/metrics/register.js';
import { createRegister, type RegisterStatus } from '../daemon/register.js';
import { runTasks } from '../daemon/lifecycle.js';
import { meteredRegistry } from '../daemon/metered-registry.js';
import type { ContainerEngine } from '../ports/container-engine.js';
import { dockerOf } from './docker-settings.js';
import { renewEtcdAccess } from './etcd-renewal.js';
import { etcdOf } from './etcd-settings.js';
import { hostIpMissing } from './host-ip.js';
import { createLogger } from './log.js';
import { refuseArguments, required, runUntilSignal } from './main.js';
import { quietOf } from './options.js';
import {
  meterOf,
  readinessReading,
  serveOwnEndpoints,
  serveServiceManager,
  trimHeapAfterStart,
} from './own-endpoints.js';
import { addByHandCommands } from './register-by-hand.js';
import { addDoctorCommand } from './register-doctor.js';
import { addExplainCommand } from './register-explain.js';
import {
  registerOptions,
  registrationLimitsOf,
  registrationPolicyOf,
  type RegisterSettings,
} from './register-settings.js';
import { registerHealth, registerReadings } from './register-readings.js';
import { printRegistrations } from './register-ls.js';
import { addDocumentationCommands } from './documentation.js';
import { addPublicKeyCommand } from './register-public-key.js';
import { signingOf } from './signing-key.js';
import { packageVersion } from './version.js';

/** The command line of docker-register. */
export function registerProgram(): Command {
  const program = new Command('docker-register')
    .description('Writes the published ports of this host’s containers to etcd, and keeps them there while they run.')
    .version(packageVersion())
    .exitOverride()
    .allowExcessArguments()
    .showHelpAfterError('(--help tells the settings)');

  for (const option of registerOptions()) program.addOption(option);

  program.action(async () => {
    refuseArguments(program);
    const settings = program.opts<RegisterSettings>();
    const { prefix, ttl, resync, withdrawOnExit, runDir, metricsBind } = settings;
    const { ip: hostIp, of: hostInterface } = required(settings.hostIp, hostIpMissing());
    const etcd = await etcdOf(settings);

    const signing = await signingOf(settings);
    const limits = registrationLimitsOf(settings);
    const dockerHost = await dockerOf(settings);
    const engine = createContainerEngine(dockerHost, limits);
    if (hostInterface !== null) await refuseOwnNetwork(engine, hostInterface);

    const log = createLogger('docker-register', settings);
    log.info(
      {
        hostIp,
        etcd: etcd.hosts,
        docker: formatDockerHost(dockerHost),
        prefix,
        signedBy: signing.key()?.id,
        version: packageVersion(),
      },
      'starting',
    );
    if (isLoopback(hostIp))
      log.warn(
        { hostIp },
        'HOST_IP is a loopback address: only this host itself reaches its services, and docker-discover uses them only if NETWORKS names it',
      );
    const client = createEtcdClient({ ...etcd, log });
    const meter = meterOf(registerMetrics);
    const register = createRegister({
      engine,
      registry: meteredRegistry(createRegistry({ client, hosts: etcd.hosts, keyspace: keyspaceOf(prefix) }), {
        meter,
        metrics: registerMetrics,
      }),
      prefix,
      policy: registrationPolicyOf(settings, hostIp),
      ttlMs: ttl,
      resyncMs: resync,
      quiet: quietOf(settings),
      seal: signing.seal,
      changeRate: settings.changeRate,
      withdrawOnExit,
      log,
      meter,
    });
    const health = registerHealth(register);
    meter.show([...registerReadings(register, { ttlMs: ttl, limits }), readinessReading(registerMetrics, health)]);
    const onChange = (): void => {
      register.lookAgain('signing key changed');
    };
    const control = { readiness: health.readiness, status: () => Promise.resolve(register.status()) };
    try {
      await runUntilSignal((signal) =>
        runTasks(
          [
            (both) => register.run(both),
            (both) => renewEtcdAccess({ settings, etcd, client, log }, both),
            (both) => signing.follow({ log, onChange }, both),
            (both) => serveControl(socketOf(runDir), control, both),
            (both) => serveOwnEndpoints({ bind: metricsBind, meter, health, log }, both),
            (both) => serveServiceManager({ health, log }, both),
            (both) => trimHeapAfterStart(health, both),
          ],
          signal,
        ),
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
      const { json, prefix, runDir, ...settings } = command.optsWithGlobals<RegisterSettings & { json?: boolean }>();
      const { ip: hostIp } = required(settings.hostIp, hostIpMissing());
      const etcd = await etcdOf(settings);
      const client = createEtcdClient(etcd);
      try {
        const registry = createRegistry({ client, hosts: etcd.hosts, keyspace: keyspaceOf(prefix) });
        await printRegistrations({ registry, prefix, hostIp, lease: await leaseOf(runDir), json: json === true });
      } finally {
        client.close();
      }
    });

  addByHandCommands(program);
  addExplainCommand(program);
  addDoctorCommand(program);
  addPublicKeyCommand(program);

  program
    .command('healthcheck')
    .description('ask the daemon that runs here whether everything has been registered once; exit code 0 or 1')
    .action(async (_options, command: Command) => {
      const { isReady, text } = await askReady(socketOf(command.optsWithGlobals<RegisterSettings>().runDir));
      if (!isReady) throw new Error(`${text}; the log tells why`);
    });
  addDocumentationCommands(program);

  return program;
}

/** The lease of the daemon that runs here, if one does. */
async function leaseOf(runDir: string): Promise<string | null> {
  const status = (await askStatus(socketOf(runDir)).catch(() => null)) as RegisterStatus | null;
  return status?.lease ?? null;
}

/** @throws SettingError where the interface is that of a container with a network of its own, and not the host's */
async function refuseOwnNetwork(engine: ContainerEngine, hostInterface: string): Promise<void> {
  const id = await ownContainerId();
  const container = id === null ? null : await engine.inspect(id, AbortSignal.timeout(30_000));
  if (container === null || container.hostNetwork) return;
  throw new SettingError(
    `HOST_IP names interface ${hostInterface}, which here is the container's and not the host's: start it with --net host, or give the address`,
  );
}

function socketOf(runDir: string): string {
  return join(runDir, 'control.sock');
}
