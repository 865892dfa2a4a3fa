import type { Command } from 'commander';
import { asked } from '../adapters/asked.js';
import { askReady, askStatus } from '../adapters/control/client.js';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { haproxyVersion } from '../adapters/haproxy/binary.js';
import { proxyPathsOf } from '../adapters/haproxy/paths.js';
import { openFilesLimit } from '../adapters/open-files.js';
import { examineDirectory } from '../adapters/writable.js';
import type { DiscoverStatus } from '../core/discover-status.js';
import { judgeDiscover, type DiscoverFacts } from '../core/doctor/discover.js';
import { counted, failed, fine, notChecked, type Finding } from '../core/doctor/finding.js';
import { judgeDirectory, judgeHaproxy, judgeOpenFiles, judgeTemplate } from '../core/doctor/haproxy.js';
import { judgePorts, type Offer } from '../core/doctor/ports.js';
import { fixedBindsOf, type FixedBind } from '../core/haproxy/fixed-binds.js';
import { controlSocketOf } from './discover-run.js';
import { proxySettingsOf, type DiscoverSettings } from './discover-settings.js';
import { doctorCommand, examine, report, type Check } from './doctor.js';
import { etcdChecks } from './doctor-etcd.js';
import { offersOf } from './doctor-ports.js';
import { readNow } from './discover-render.js';
import { checkTemplateNow, settled, type Settled } from './doctor-template.js';
import { etcdOf } from './etcd-settings.js';
import { execOf } from './exec-settings.js';
import { refuseSharedBinds } from './own-binds.js';
import { signersFileOf } from './signers-file.js';

/** `doctor`: what can be wrong around docker-discover. */
export function addDoctorCommand(program: Command): void {
  const checked = 'etcd, clock, HAProxy, ports, template, signers, directories and the daemon that runs here';
  doctorCommand(program, checked).action(async (_options, command: Command) => {
    const settings = command.optsWithGlobals<DiscoverSettings & { json?: boolean }>();
    const etcdMembers = await etcdOf(settings);
    const { prefix, runDir, stateDir } = settings;
    const isOurs = execOf(settings) === null;
    const fixed = fixedBindsOf(await proxySettingsOf(settings, proxyPathsOf(runDir)));
    if (isOurs) refuseSharedBinds(settings, fixed);
    const client = createEtcdClient(etcdMembers);
    try {
      // First and alone: what else goes on in this process would lengthen what is measured.
      const etcd = await examine(etcdChecks({ client, tls: etcdMembers.tls, prefix, use: 'watch' }));
      // Several checks look at these, and each is asked for once.
      const daemon = examineDaemon(runDir);
      const reading = settled(readNow(settings));
      const others = await examine([
        ...(isOurs ? haproxyChecks({ settings, fixed, daemon, reading }) : [withoutHaproxy]),
        { name: 'template', run: async () => [await templateFinding(settings, { isOurs, reading })] },
        { name: 'signatures', run: async () => [await signersFinding(settings)] },
        directoryCheck('RUN_DIR', runDir),
        directoryCheck('STATE_DIR', stateDir),
        { name: 'docker-discover', run: async () => judgeDiscover(await daemon) },
      ]);
      report([...etcd, ...others], { json: settings.json === true });
    } finally {
      client.close();
    }
  });
}

async function examineDaemon(runDir: string): Promise<DiscoverFacts> {
  const socket = controlSocketOf(runDir);
  const [readiness, status] = await Promise.all([
    asked(() => askReady(socket)),
    asked(async () => (await askStatus(socket)) as DiscoverStatus),
  ]);
  return { runDir, readiness, status };
}

const withoutHaproxy: Check = {
  name: 'HAProxy',
  run: () => Promise.resolve([notChecked('HAProxy', 'EXEC runs another proxy, whose ports and limits are its own')]),
};

interface Circumstances {
  readonly settings: DiscoverSettings;
  readonly fixed: readonly FixedBind[];
  readonly daemon: Promise<DiscoverFacts>;
  readonly reading: Promise<Settled>;
}

function haproxyChecks({ settings, fixed, daemon, reading }: Circumstances): Check[] {
  const statusOf = async (): Promise<DiscoverStatus | null> => {
    const { status } = await daemon;
    return status.ok ? status.value : null;
  };
  const offers = async (signal: AbortSignal): Promise<Offer[]> => {
    const [status, read] = [await statusOf(), await reading];
    return offersOf({ settings, fixed, model: read.ok ? read.reading.model : null, status }, signal);
  };
  const openFiles = async (): Promise<Finding> => {
    const status = await statusOf();
    const endpoints = status?.listeners.flatMap((listener) => listener.endpoints) ?? [];
    return judgeOpenFiles({
      limit: await openFilesLimit(status?.haproxy.workerPid ?? null),
      listening: (status?.listeners.length ?? 0) * settings.bind.length,
      endpoints: endpoints.length,
      sessions: endpoints.reduce((count, { sessions }) => count + sessions, 0),
    });
  };
  return [
    { name: 'HAProxy', run: async () => [judgeHaproxy(await asked(() => haproxyVersion(settings.haproxy)))] },
    { name: 'ports', run: async (signal) => judgePorts(await offers(signal)) },
    { name: 'open files', run: async () => [await openFiles()] },
  ];
}

async function templateFinding(
  settings: DiscoverSettings,
  { isOurs, reading }: Pick<Circumstances, 'reading'> & { readonly isOurs: boolean },
): Promise<Finding> {
  if (isOurs && !(await asked(() => haproxyVersion(settings.haproxy))).ok)
    return notChecked('template', 'there is no HAProxy to check it');
  return judgeTemplate(await asked(() => checkTemplateNow(settings, reading)));
}

async function signersFinding(settings: DiscoverSettings): Promise<Finding> {
  const file = await asked(() => signersFileOf(settings));
  if (!file.ok)
    return failed(
      'signatures',
      file.reason,
      'mend the file; while it is so, docker-discover goes on with what it read before, but does not start',
    );
  if (file.value === null) return fine('signatures', 'not asked for: SIGNERS_FILE is not set');
  return fine('signatures', `SIGNERS_FILE has ${counted(file.value.trust().signers.size, 'key')}`);
}

function directoryCheck(name: string, path: string): Check {
  return { name, run: async () => [judgeDirectory(name, path, await examineDirectory(path))] };
}
