import { Command } from 'commander';
import { askReady, askStatus } from '../adapters/control/client.js';
import { haproxyVersion } from '../adapters/haproxy/binary.js';
import type { DiscoverStatus } from '../core/discover-status.js';
import { discoverOptions, type DiscoverSettings } from './discover-settings.js';
import { checkTemplate, renderTemplate } from './discover-template.js';
import { readTemplates } from './template-files.js';
import { asciiJson, statusText } from './discover-ls.js';
import { terminalOf, watchStatus } from './discover-watch.js';
import { controlSocketOf, runDiscover } from './discover-run.js';
import { SettingError } from '../core/errors.js';
import { execOf } from './exec-settings.js';
import { viewOfNow } from './discover-render.js';
import { refuseArguments, runUntilSignal } from './main.js';
import { paintFor } from './paint.js';
import { addDoctorCommand } from './discover-doctor.js';
import { addExplainCommand } from './discover-explain.js';
import { addWaitCommand } from './discover-wait.js';
import { addDocumentationCommands } from './documentation.js';
import { packageVersion } from './version.js';

/** The command line of docker-discover. */
export function discoverProgram(): Command {
  const program = new Command('docker-discover')
    .description('Keeps a HAProxy on this host in step with the services that stand in etcd.')
    .version(packageVersion())
    .exitOverride()
    .allowExcessArguments()
    .showHelpAfterError('(--help tells the settings)');
  for (const option of discoverOptions()) program.addOption(option);

  program.action(async () => {
    refuseArguments(program);
    await runDiscover(program.opts<DiscoverSettings>());
  });

  program
    .command('ls')
    .description('print services, ports, endpoints and their state in HAProxy')
    .option('--json', 'as JSON')
    .option('--watch', 'follow it until Ctrl-C: each change anew, with --json one on each line')
    .action(async (_options, command: Command) => {
      const { json, watch, runDir } = command.optsWithGlobals<DiscoverSettings & { json?: boolean; watch?: boolean }>();
      const socket = controlSocketOf(runDir);
      const paint = paintFor(process.stdout, process.env);
      const print = (text: string): void => {
        process.stdout.write(text);
      };
      if (watch === true) {
        const options = { socket, json: json === true, terminal: terminalOf(process.stdout), paint, print };
        await runUntilSignal((signal) => watchStatus(options, signal));
        return;
      }
      const status = await askStatus(socket);
      print(json === true ? `${asciiJson(status)}\n` : statusText(status as DiscoverStatus, paint));
    });

  program
    .command('render')
    .description(
      'print what is rendered for what stands in etcd now: haproxy.cfg, or with EXEC the other proxy’s file; touches nothing',
    )
    .option('--check', 'have HAProxy check it, and print what it says instead')
    .action(async (_options, command: Command) => {
      const settings = command.optsWithGlobals<DiscoverSettings & { check?: boolean }>();
      const { template: path, haproxy } = settings;
      if (settings.check === true && execOf(settings) !== null)
        throw new SettingError('--check asks HAProxy; with EXEC, give what `render` prints to EXEC_CHECK');
      const templates = await readTemplates(path);
      const { view, certificates } = await viewOfNow(settings);
      if (settings.check !== true) {
        process.stdout.write(renderTemplate({ path, templates }, view));
        return;
      }
      await haproxyVersion(haproxy);
      await checkTemplate(
        { path, templates, haproxy, certificates, what: 'what is rendered for etcd as it stands' },
        view,
      );
      const count = view.listeners.length;
      process.stdout.write(`HAProxy takes it, with ${String(count)} ${count === 1 ? 'listener' : 'listeners'}\n`);
    });

  program
    .command('model')
    .description('print what a template gets for what stands in etcd now, as JSON')
    .action(async (_options, command: Command) => {
      process.stdout.write(`${asciiJson((await viewOfNow(command.optsWithGlobals<DiscoverSettings>())).view)}\n`);
    });

  program
    .command('healthcheck')
    .description(
      'ask the daemon that runs here whether HAProxy runs with a first catalog, or with EXEC a file is written; exit code 0 or 1',
    )
    .action(async (_options, command: Command) => {
      const { isReady, text } = await askReady(controlSocketOf(command.optsWithGlobals<DiscoverSettings>().runDir));
      if (!isReady) throw new Error(`${text}; the log tells why`);
    });

  addWaitCommand(program);
  addExplainCommand(program);
  addDoctorCommand(program);
  addDocumentationCommands(program);

  return program;
}
