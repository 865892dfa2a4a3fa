import type { Command } from 'commander';
import { createEtcdClient, type EtcdClient, type EtcdMembers } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { parseIp } from '../core/address.js';
import { drainNamesOf, recordOf } from '../core/catalog.js';
import { SettingError } from '../core/errors.js';
import { drainKeyOf, drainTargetOf, keyspaceOf, parseDrainTarget } from '../core/keyspace.js';
import type { Parsed } from '../core/result.js';
import { claimsSignature } from '../core/signature.js';
import { runTasks } from '../daemon/lifecycle.js';
import { sealedRegistry } from '../daemon/sealed-registry.js';
import type { Registry } from '../ports/registry.js';
import { renewEtcdAccess } from './etcd-renewal.js';
import { createLogger } from './log.js';
import { etcdOf } from './etcd-settings.js';
import { runUntilSignal } from './main.js';
import { parseRegistration, put, type PutSettings } from './register-put.js';
import type { RegisterSettings } from './register-settings.js';
import { signingOf, type Signing } from './signing-key.js';

/** What an administrator does by hand: things that are no containers, and maintenance. */
export function addByHandCommands(program: Command): void {
  program
    .command('put')
    .allowExcessArguments(false)
    .description('register a thing that is no container, such as a database on bare metal')
    .argument('<service>', 'name of the service')
    .argument('<address>', 'ip:port or [ipv6]:port')
    .argument('[attributes...]', 'attributes of the registration, such as port=5432 weight=2')
    .option('--id <id>', 'id of the registration (default: the address)')
    .option('--hold', 'keep it registered for as long as this command runs; otherwise it stays for good')
    .option('--check <check>', 'with --hold: tcp, or a path like /healthz, is asked before each keep-alive')
    .action(async (service: string, address: string, attributes: readonly string[], _options, command: Command) => {
      const settings = command.optsWithGlobals<RegisterSettings & PutSettings>();
      const registration = accepted(parseRegistration(service, address, attributes, settings.id));
      const log = createLogger('docker-register', settings);
      const { prefix, ttl: ttlMs } = settings;
      await withRegistry(settings, (registry, { signing, ...access }) => {
        const putIt = (signal: AbortSignal) => put({ registry, prefix, registration, ttlMs, settings, log }, signal);
        return runUntilSignal(
          settings.hold === true
            ? (signal) =>
                runTasks(
                  [
                    putIt,
                    (both) => renewEtcdAccess({ ...access, settings, log }, both),
                    (both) => signing.follow({ log, onChange: () => undefined }, both),
                  ],
                  signal,
                )
            : putIt,
        );
      });
    });

  program
    .command('drain')
    .allowExcessArguments(false)
    .description(
      'send no new connections to a registration or a container, by its id, or to all of a host, by its address',
    )
    .argument('[id|host]', 'id as ls shows it, or IP address of a host; without one, what is drained is listed')
    .action(async (text: string | undefined, _options, command: Command) => {
      const settings = command.optsWithGlobals<RegisterSettings>();
      await withRegistry(settings, (registry, { signing }) =>
        text === undefined
          ? listDrains(registry, settings.prefix)
          : drain({ registry, prefix: settings.prefix, target: accepted(parseDrainTarget(text)), signing }),
      );
    });

  program
    .command('undrain')
    .allowExcessArguments(false)
    .description('take back a drain')
    .argument('<id|host>', 'what was given to drain')
    .action(async (text: string, _options, command: Command) => {
      const settings = command.optsWithGlobals<RegisterSettings>();
      const target = accepted(parseDrainTarget(text));
      await withRegistry(settings, async (registry) => {
        const signal = AbortSignal.timeout(30_000);
        const key = drainKeyOf(settings.prefix, target);
        const { entries } = await registry.list(signal);
        if (!entries.some((entry) => entry.key === key)) throw new Error(`${target} is not drained by hand`);
        await registry.apply({ puts: [], deletes: [key] }, '0', signal);
      });
    });
}

interface DrainOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly target: string;
  readonly signing: Signing;
}

async function drain({ registry, prefix, target, signing }: DrainOptions): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  const { entries } = await registry.list(signal);
  const drained = entries.flatMap((entry) => {
    const record = recordOf(prefix, entry);
    if (record.kind !== 'endpoint' || !drainNamesOf(record.endpoint).includes(target)) return [];
    return [`${record.endpoint.service}/${record.endpoint.id}`];
  });
  // A host may be empty for now; an id that is not there is a mistyped one.
  if (drained.length === 0 && !parseIp(target).ok)
    throw new Error(`nothing is registered as ${target}: give an id as ls shows it, or the IP address of a host`);
  const key = drainKeyOf(prefix, target);
  await registry.apply({ puts: [{ key, value: 'by hand' }], deletes: [] }, '0', signal);
  process.stdout.write(
    drained.length === 0
      ? `nothing is registered of host ${target} now; what comes will drain, until undrain ${target}\n`
      : `draining, until undrain ${target}:\n${drained.map((name) => `  ${name}\n`).join('')}`,
  );
  if (signing.key() === null && entries.some(({ value }) => claimsSignature(value)))
    process.stderr.write(
      'registrations here are signed, and this drain is not: client hosts with SIGNERS_FILE do not heed it; give SIGNING_KEY_FILE\n',
    );
}

async function listDrains(registry: Registry, prefix: string): Promise<void> {
  const { entries } = await registry.list(AbortSignal.timeout(30_000));
  const targets = entries.flatMap(({ key }) => drainTargetOf(prefix, key) ?? []);
  process.stdout.write(targets.length === 0 ? 'nothing is drained by hand\n' : `${targets.join('\n')}\n`);
}

function accepted<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new SettingError(parsed.reason);
}

interface Access {
  readonly etcd: EtcdMembers;
  readonly client: EtcdClient;
  readonly signing: Signing;
}

async function withRegistry(
  settings: RegisterSettings,
  work: (registry: Registry, access: Access) => Promise<void>,
): Promise<void> {
  const etcd = await etcdOf(settings);
  const signing = await signingOf(settings);
  const client = createEtcdClient(etcd);
  try {
    const keyspace = keyspaceOf(settings.prefix);
    const registry = createRegistry({ client, hosts: etcd.hosts, keyspace });
    await work(sealedRegistry(registry, signing.seal), { etcd, client, signing });
  } finally {
    client.close();
  }
}
