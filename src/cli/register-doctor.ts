import { join } from 'node:path';
import { networkInterfaces } from 'node:os';
import type { Command } from 'commander';
import { asked } from '../adapters/asked.js';
import { askStatus } from '../adapters/control/client.js';
import { createContainerEngine } from '../adapters/docker/engine.js';
import { examineEngine } from '../adapters/docker/examine.js';
import type { DockerHost } from '../adapters/docker/host.js';
import { ownContainerId } from '../adapters/docker/own-container.js';
import { createEtcdClient, type EtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { judgeEngine } from '../core/doctor/docker.js';
import { failed, fine, type Finding } from '../core/doctor/finding.js';
import { judgeHostIp, type HostIpFacts } from '../core/doctor/host-ip.js';
import { judgePorts } from '../core/doctor/ports.js';
import { judgeRegister } from '../core/doctor/register.js';
import { keyspaceOf } from '../core/keyspace.js';
import type { RegisterStatus } from '../daemon/register.js';
import { dockerOf } from './docker-settings.js';
import { doctorCommand, examine, report } from './doctor.js';
import { etcdChecks } from './doctor-etcd.js';
import { etcdOf } from './etcd-settings.js';
import { metricsOffers } from './doctor-ports.js';
import { hostIpMissing, usable } from './host-ip.js';
import { required } from './main.js';
import type { RegisterSettings } from './register-settings.js';
import { signingOf } from './signing-key.js';

/** `doctor`: what can be wrong around docker-register. */
export function addDoctorCommand(program: Command): void {
  const checked = 'address, Docker, etcd, clock, ports, signing key and the daemon that runs here';
  doctorCommand(program, checked).action(async (_options, command: Command) => {
    const settings = command.optsWithGlobals<RegisterSettings & { json?: boolean }>();
    const { ip } = required(settings.hostIp, hostIpMissing());
    const etcdMembers = await etcdOf(settings);
    const dockerHost = await dockerOf(settings);
    const { prefix } = settings;
    const client = createEtcdClient(etcdMembers);
    try {
      // First and alone: what else goes on in this process would lengthen what is measured.
      const etcd = await examine(etcdChecks({ client, tls: etcdMembers.tls, prefix, use: 'write' }));
      const others = await examine([
        { name: 'HOST_IP', run: async (signal) => [judgeHostIp(await hostIpFacts(ip, dockerHost, signal))] },
        { name: 'Docker', run: async (signal) => judgeEngine(await examineEngine(dockerHost, signal)) },
        {
          name: 'ports',
          run: async (signal) => judgePorts(await metricsOffers(settings, 'docker_register_', signal)),
        },
        { name: 'signing key', run: async () => [await signingFinding(settings)] },
        { name: 'docker-register', run: (signal) => daemonFindings(settings, client, signal) },
      ]);
      report([...etcd, ...others], { json: settings.json === true });
    } finally {
      client.close();
    }
  });
}

async function signingFinding(settings: RegisterSettings): Promise<Finding> {
  const signing = await asked(() => signingOf(settings));
  if (!signing.ok)
    return failed(
      'signing key',
      signing.reason,
      'mend the file; while it is so, docker-register goes on with the key that it read before, but does not start',
    );
  const key = signing.value.key();
  return fine(
    'signing key',
    key === null ? 'none: SIGNING_KEY_FILE is not set' : `SIGNING_KEY_FILE has the key ${key.id}`,
  );
}

async function hostIpFacts(ip: string, dockerHost: DockerHost, signal: AbortSignal): Promise<HostIpFacts> {
  const own = new Map([...usable(networkInterfaces())].map(([name, all]) => [name, all.map(({ address }) => address)]));
  return { ip, own, network: await networkSeen(dockerHost, signal) };
}

async function networkSeen(dockerHost: DockerHost, signal: AbortSignal): Promise<HostIpFacts['network']> {
  const id = await ownContainerId();
  if (id === null) return 'of the host';
  // Where Docker can't be asked, its own check tells.
  const container = await createContainerEngine(dockerHost)
    .inspect(id, signal)
    .catch(() => null);
  if (container === null) return null;
  return container.hostNetwork ? 'of the host' : 'of a container';
}

async function daemonFindings(
  { prefix, runDir, etcdHost = [] }: RegisterSettings,
  client: EtcdClient,
  signal: AbortSignal,
): Promise<Finding[]> {
  const status = await asked(async () => (await askStatus(join(runDir, 'control.sock'))) as RegisterStatus);
  const id = status.ok ? status.value.lease : null;
  const registry = createRegistry({ client, hosts: etcdHost, keyspace: keyspaceOf(prefix) });
  const lease = id === null ? null : await asked(() => registry.leaseTime(id, signal));
  return judgeRegister({ runDir, status, lease });
}
