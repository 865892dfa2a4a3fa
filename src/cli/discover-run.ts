import { hostname } from 'node:os';
import { join } from 'node:path';
import { askReady } from '../adapters/control/client.js';
import { serveControl } from '../adapters/control/server.js';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { createInterfaces } from '../adapters/interfaces.js';
import { createStateStore } from '../adapters/state-store.js';
import { proxyPathsOf } from '../adapters/haproxy/paths.js';
import type { Problem } from '../core/catalog.js';
import { SettingError } from '../core/errors.js';
import { fixedBindsOf, hasEntrance } from '../core/haproxy/fixed-binds.js';
import { keyspaceOf } from '../core/keyspace.js';
import { createCertificates } from '../daemon/certificates.js';
import { discoverMetrics } from '../core/metrics/discover.js';
import { createCheckPacer } from '../daemon/check-pacer.js';
import { createDiscover } from '../daemon/discover.js';
import { runTasks } from '../daemon/lifecycle.js';
import { createStatusFeed } from '../daemon/status-feed.js';
import { meteredRegistry } from '../daemon/metered-registry.js';
import { paceBoundsOf } from './check-settings.js';
import { certificateStoreOf } from './discover-certificates.js';
import { clientHostsOf } from './discover-client-hosts.js';
import { prepareExec, prepareHaproxy } from './discover-hands.js';
import { proxySettingsOf, reservedPorts, type DiscoverSettings } from './discover-settings.js';
import { renewEtcdAccess } from './etcd-renewal.js';
import { etcdOf } from './etcd-settings.js';
import { execOf } from './exec-settings.js';
import { createLogger } from './log.js';
import { discoverHealth, discoverReadings } from './discover-readings.js';
import {
  meterOf,
  readinessReading,
  serveOwnEndpoints,
  serveServiceManager,
  trimHeapAfterStart,
} from './own-endpoints.js';
import { refuseSharedBinds } from './own-binds.js';
import { runUntilSignal } from './main.js';
import { quietOf } from './options.js';
import { limitsOf } from './limit-settings.js';
import { signersFileOf } from './signers-file.js';
import { policyOf } from './policy-settings.js';
import { readPage, serveStatusPage } from './status-page.js';
import { packageVersion } from './version.js';

export function controlSocketOf(runDir: string): string {
  return join(runDir, 'control.sock');
}

const noProblems: readonly Problem[] = [];

/** Two daemons in one directory would end each other's HAProxy. @throws SettingError where another one answers there */
async function refuseSecond(runDir: string): Promise<void> {
  const isTaken = await askReady(controlSocketOf(runDir)).then(
    () => true,
    () => false,
  );
  if (isTaken)
    throw new SettingError(`RUN_DIR ${runDir} belongs to a docker-discover that runs; give this one another`);
}

/** Wires the daemon and runs it until SIGTERM. */
export async function runDiscover(settings: DiscoverSettings): Promise<void> {
  const { prefix, runDir, stateDir, poll, stale, statusBind } = settings;
  const etcd = await etcdOf(settings);
  const signers = await signersFileOf(settings);
  const exec = execOf(settings);
  const proxySettings = await proxySettingsOf(settings, proxyPathsOf(runDir));
  // Another proxy has no page and no entrance of ours.
  const fixed = exec === null ? fixedBindsOf(proxySettings) : [];
  refuseSharedBinds(settings, fixed);
  const limits = limitsOf(settings);
  await refuseSecond(runDir);
  const page = statusBind === 'none' ? null : { bind: statusBind, files: await readPage() };
  const prepared =
    exec === null
      ? await prepareHaproxy(settings, proxySettings)
      : await prepareExec(settings, { proxySettings, exec });

  const log = createLogger('docker-discover', settings);
  log.info({ etcd: etcd.hosts, prefix, ...prepared.about, version: packageVersion() }, 'starting');
  if (signers !== null)
    log.info({ keys: signers.trust().signers.size }, 'only signed registrations are used (SIGNERS_FILE)');
  const trigger = (reason: string) => (): void => {
    discover.trigger(reason);
  };
  const meter = meterOf(discoverMetrics);
  const hands = await prepared.make({ log, meter }, () => {
    meter.count(discoverMetrics.haproxyExits, {});
    discover.trigger('HAProxy exited');
  });
  const client = createEtcdClient({ ...etcd, log });
  const clientHosts = clientHostsOf({
    settings,
    etcd: client,
    hosts: etcd.hosts,
    log,
    onChange: trigger('client hosts counted'),
  });
  const pacer = createCheckPacer({
    bounds: paceBoundsOf(settings),
    clientHosts: () => clientHosts.count(),
    isCounted: settings.clientHosts === 'auto',
    isOurs: exec === null,
  });
  const store = certificateStoreOf(settings);
  const certificates =
    store === null ? null : createCertificates({ store, pollMs: poll, log, onChange: trigger('certificates changed') });
  const discover = createDiscover({
    registry: meteredRegistry(createRegistry({ client, hosts: etcd.hosts, keyspace: keyspaceOf(prefix) }), {
      meter,
      metrics: discoverMetrics,
    }),
    store: createStateStore(join(stateDir, 'last-known-good.json')),
    hands,
    prefix,
    host: {
      bind: settings.bind,
      fixed,
      reserved: reservedPorts(settings, fixed),
      hasEntrance: exec !== null || hasEntrance(proxySettings),
      certificates: () => certificates?.directory() ?? null,
      policy: policyOf(settings),
      interfaces: exec === null ? createInterfaces() : null,
      lingerMs: settings.linger,
      mostListeners: limits.listeners,
      pacer,
    },
    limits,
    otherProblems: () => certificates?.problems() ?? noProblems,
    trust: () => signers?.trust() ?? null,
    pollMs: poll,
    staleMs: stale,
    quiet: quietOf(settings),
    log,
    meter,
  });
  const health = discoverHealth(discover);
  meter.show([...discoverReadings(discover, { limits, pacer }), readinessReading(discoverMetrics, health)]);
  const control = { readiness: health.readiness, status: (signal: AbortSignal) => discover.status(signal) };
  await certificates?.look();
  const feed = createStatusFeed({
    about: {
      host: hostname(),
      version: packageVersion(),
      statsPort: exec === null ? settings.statsBind.port : null,
    },
    look: async (signal) => ({ status: await discover.status(signal), problems: discover.problems() }),
    log,
  });
  const reload = (): void => {
    log.info('SIGHUP: reading the template anew');
    hands.demandReload('SIGHUP');
    discover.trigger('SIGHUP');
  };
  process.on('SIGHUP', reload);
  try {
    await runUntilSignal((signal) =>
      runTasks(
        [
          (both) => discover.run(both),
          (both) => clientHosts.run(both),
          (both) => renewEtcdAccess({ settings, etcd, client, log }, both),
          ...(signers === null
            ? []
            : [(both: AbortSignal) => signers.follow({ log, onChange: trigger('signers changed') }, both)]),
          ...(certificates === null ? [] : [(both: AbortSignal) => certificates.run(both)]),
          (both) => serveControl(controlSocketOf(runDir), control, both),
          ...(page === null ? [] : [(both: AbortSignal) => serveStatusPage({ ...page, feed, log }, both)]),
          (both) => serveOwnEndpoints({ bind: settings.metricsBind, meter, health, log }, both),
          (both) => serveServiceManager({ health, log }, both),
          (both) => trimHeapAfterStart(health, both),
        ],
        signal,
      ),
    );
    log.info('stopped');
  } finally {
    process.off('SIGHUP', reload);
    client.close();
  }
}
