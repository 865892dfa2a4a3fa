import { createContainerEngine } from '../adapters/docker/engine.js';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import type { Command } from 'commander';
import { parseContainer } from '../core/container.js';
import { messageOf } from '../core/errors.js';
import { explanationOf, type Explanation } from '../core/explanation.js';
import { keyspaceOf } from '../core/keyspace.js';
import { accept, inAscii, printable, reject } from '../core/result.js';
import { asciiJson } from './discover-ls.js';
import { dockerOf } from './docker-settings.js';
import { etcdOf } from './etcd-settings.js';
import { hostIpMissing } from './host-ip.js';
import { required } from './main.js';
import { by } from './options.js';
import { paintFor, type Paint } from './paint.js';
import { registrationLimitsOf, registrationPolicyOf, type RegisterSettings } from './register-settings.js';
import { formatTable } from './table.js';

const shownValue = 80;

/** `explain CONTAINER`: what is registered of it, or the reason why not. */
export function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .allowExcessArguments(false)
    .description('tell what is registered of a container, port by port, or why not')
    .argument('<container>', 'its name or id', by(parseContainer))
    .option('--json', 'as JSON')
    .action(async (name: string, _options, command: Command) => {
      const settings = command.optsWithGlobals<RegisterSettings & { json?: boolean }>();
      const explanation = await explain(name, settings);
      const paint = paintFor(process.stdout, process.env);
      process.stdout.write(
        settings.json === true ? `${asciiJson(explanation)}\n` : explanationText(explanation, paint),
      );
      if (explanation.etcd !== null) throw new Error(`what stands in etcd is not known: ${explanation.etcd}`);
    });
}

async function explain(name: string, settings: RegisterSettings): Promise<Explanation> {
  const { ip: hostIp } = required(settings.hostIp, hostIpMissing());
  const etcd = await etcdOf(settings);
  const signal = AbortSignal.timeout(30_000);
  const engine = createContainerEngine(await dockerOf(settings), registrationLimitsOf(settings));
  const container = await engine.inspect(name, signal);
  if (container === null) throw new Error(`there is no container ${JSON.stringify(name)} on this host`);
  const { containers: running } = await engine.list(signal);
  const client = createEtcdClient(etcd);
  try {
    const registry = createRegistry({ client, hosts: etcd.hosts, keyspace: keyspaceOf(settings.prefix) });
    // Docker alone can tell of much why it is not registered.
    const standing = await registry.list(signal).then(
      ({ entries }) => accept(new Map(entries.map(({ key, value }) => [key, value]))),
      (error: unknown) => reject(messageOf(error)),
    );
    return explanationOf(container, {
      policy: registrationPolicyOf(settings, hostIp),
      prefix: settings.prefix,
      running,
      standing,
    });
  } finally {
    client.close();
  }
}

export function explanationText(
  { container, id, image, registrations, skipped, misread }: Explanation,
  paint: Paint,
): string {
  const parts = [`${inAscii(container)} (${inAscii(id)}, image ${inAscii(image)})\n`];
  if (registrations.length > 0) {
    const rows = registrations.map(({ key, value, isRegistered, state, mend }) => [
      key,
      value,
      paint(isRegistered === null ? 'doubtful' : isRegistered ? 'good' : 'bad', inAscii(state)),
      inAscii(mend ?? ''),
    ]);
    const isWell = registrations.every(({ mend }) => mend === null);
    parts.push(formatTable(['KEY', 'VALUE', 'STATE', ...(isWell ? [] : ['MEND'])], rows, paint));
  }
  if (skipped.length > 0) {
    const rows = skipped.map(({ port, reason, mend }) => [port ?? 'all', inAscii(reason), inAscii(mend)]);
    parts.push(formatTable(['NOT REGISTERED', 'REASON', 'MEND'], rows, paint));
  }
  if (misread.length > 0) {
    const rows = misread.map(({ source, value, allowed }) => [source, printable(value, shownValue), allowed]);
    parts.push(formatTable(['NOT UNDERSTOOD', 'VALUE', 'ALLOWED'], rows, paint));
  }
  if (parts.length === 1) parts.push('it has nothing to register\n');
  return parts.join('\n');
}
