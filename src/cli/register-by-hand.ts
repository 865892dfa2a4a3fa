import type { Command } from 'commander';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { isDrainedBy, recordOf } from '../core/catalog.js';
import { SettingError } from '../core/errors.js';
import { drainKeyOf, keyspaceOf, parseDrainTarget } from '../core/keyspace.js';
import type { Parsed } from '../core/result.js';
import type { Registry } from '../ports/registry.js';
import { createLogger } from './log.js';
import { etcdHostMissing, required, runUntilSignal } from './main.js';
import { parseRegistration, put, type PutSettings } from './register-put.js';
import type { RegisterSettings } from './register-settings.js';

/** What an administrator does by hand: things that are no containers, and maintenance. */
export function addByHandCommands(program: Command): void {
  program
    .command('put')
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
      await withRegistry(settings, (registry) =>
        runUntilSignal((signal) =>
          put({ registry, prefix: settings.prefix, registration, ttlMs: settings.ttl, settings, log }, signal),
        ),
      );
    });

  program
    .command('drain')
    .description(
      'send no new connections to a registration or a container, by its id, or to all of a host, by its address',
    )
    .argument('<id|host>', 'id as ls shows it, id of a container, or IP address of a host')
    .action(async (text: string, _options, command: Command) => {
      const settings = command.optsWithGlobals<RegisterSettings>();
      const target = accepted(parseDrainTarget(text));
      await withRegistry(settings, async (registry) => {
        const signal = AbortSignal.timeout(30_000);
        const key = drainKeyOf(settings.prefix, target);
        await registry.apply({ puts: [{ key, value: 'by hand' }], deletes: [] }, '0', signal);
        const { entries } = await registry.list(signal);
        const drained = entries.flatMap((entry) => {
          const record = recordOf(settings.prefix, entry);
          return record.kind === 'endpoint' && isDrainedBy(record.endpoint, target)
            ? [`${record.endpoint.service}/${record.endpoint.id}`]
            : [];
        });
        process.stdout.write(
          drained.length === 0
            ? `nothing that is registered is ${target} now; what comes will drain, until undrain ${target}\n`
            : `draining, until undrain ${target}:\n${drained.map((name) => `  ${name}\n`).join('')}`,
        );
      });
    });

  program
    .command('undrain')
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

function accepted<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new SettingError(parsed.reason);
}

async function withRegistry(
  { etcdHost, prefix }: RegisterSettings,
  work: (registry: Registry) => Promise<void>,
): Promise<void> {
  const hosts = required(etcdHost, etcdHostMissing);
  const client = createEtcdClient(hosts);
  try {
    await work(createRegistry({ client, hosts, keyspace: keyspaceOf(prefix) }));
  } finally {
    client.close();
  }
}
