import { join } from 'node:path';
import { askReady } from '../adapters/control/client.js';
import { copyOf } from '../adapters/certificate-dir.js';
import { serveControl } from '../adapters/control/server.js';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { createStateStore } from '../adapters/state-store.js';
import { haproxyVersion } from '../adapters/haproxy/binary.js';
import { retireLeftovers } from '../adapters/haproxy/leftovers.js';
import { proxyPathsOf } from '../adapters/haproxy/paths.js';
import { createProxy } from '../adapters/haproxy/proxy.js';
import { createRouteMap } from '../adapters/haproxy/route-map.js';
import type { Problem } from '../core/catalog.js';
import { SettingError } from '../core/errors.js';
import { formatBind } from '../core/haproxy/bind.js';
import { fixedBindsOf, hasEntrance } from '../core/haproxy/fixed-binds.js';
import { emptyModel } from '../core/haproxy/model.js';
import { undisturbed, viewOf } from '../core/haproxy/view.js';
import { keyspaceOf } from '../core/keyspace.js';
import { createCertificates } from '../daemon/certificates.js';
import { createDiscover } from '../daemon/discover.js';
import { runTasks } from '../daemon/lifecycle.js';
import { createProxyKeeper } from '../daemon/proxy-keeper.js';
import { createRouteKeeper } from '../daemon/route-keeper.js';
import { certificateStoreOf, copiesIn, readCertificates } from './discover-certificates.js';
import { proxySettingsOf, reservedPorts, type DiscoverSettings } from './discover-settings.js';
import { checkTemplate } from './discover-template.js';
import { readTemplates } from './template-files.js';
import { createLogger } from './log.js';
import { serveMetricsOf } from './discover-metrics.js';
import { etcdHostMissing, required, runUntilSignal } from './main.js';
import { quietOf } from './options.js';
import { policyOf } from './policy-settings.js';
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
  const { prefix, haproxy, template, runDir, stateDir, poll, stale, stopTimeout } = settings;
  const hosts = required(settings.etcdHost, etcdHostMissing);
  const version = await haproxyVersion(haproxy);
  const paths = proxyPathsOf(runDir);
  const proxySettings = proxySettingsOf(settings, paths);
  const store = certificateStoreOf(settings);
  const { usable } = await readCertificates(store, settings);
  await refuseSecond(runDir);
  const templates = await readTemplates(template);
  const circumstances = { ...undisturbed, certificates: usable.length === 0 ? null : copyOf(usable, copiesIn(runDir)) };
  await checkTemplate(
    { path: template, templates, haproxy, certificates: usable },
    viewOf(emptyModel, proxySettings, circumstances),
  );

  const log = createLogger('docker-discover', settings);
  const fixed = fixedBindsOf(proxySettings);
  const offers = Object.fromEntries(fixed.map(({ name, bind }) => [name, formatBind(bind)]));
  log.info({ etcd: hosts, prefix, haproxy: version, ...offers, version: packageVersion() }, 'starting');
  // Of a daemon that was killed: its HAProxy has the ports that ours needs.
  await retireLeftovers(paths, log);
  const client = createEtcdClient(hosts);
  const trigger = (reason: string) => (): void => {
    discover.trigger(reason);
  };
  const certificates =
    store === null ? null : createCertificates({ store, pollMs: poll, log, onChange: trigger('certificates changed') });
  const proxy = createProxy({
    binary: haproxy,
    paths,
    stopTimeoutMs: stopTimeout,
    log: log.child({ from: 'haproxy' }),
    onExit: trigger('HAProxy exited'),
  });
  const servers = createProxyKeeper({
    proxy,
    settings: proxySettings,
    templates,
    readTemplates: () => readTemplates(template),
    reloadIntervalMs: settings.reloadInterval,
    drainDeadlineMs: settings.drainDeadline,
    log,
  });
  const keeper = hasEntrance(proxySettings)
    ? createRouteKeeper({ keeper: servers, map: createRouteMap(paths), log })
    : servers;
  const discover = createDiscover({
    registry: createRegistry({ client, hosts, keyspace: keyspaceOf(prefix) }),
    store: createStateStore(join(stateDir, 'last-known-good.json')),
    proxy,
    keeper,
    prefix,
    host: {
      bind: settings.bind,
      fixed,
      reserved: reservedPorts(settings, proxySettings),
      hasEntrance: hasEntrance(proxySettings),
      certificates: () => certificates?.directory() ?? null,
      policy: policyOf(settings),
      lingerMs: settings.linger,
    },
    otherProblems: () => certificates?.problems() ?? noProblems,
    pollMs: poll,
    staleMs: stale,
    quiet: quietOf(settings),
    log,
  });
  await certificates?.look();
  const reload = (): void => {
    log.info('SIGHUP: reading the template anew');
    keeper.demandReload('SIGHUP');
    discover.trigger('SIGHUP');
  };
  process.on('SIGHUP', reload);
  try {
    await runUntilSignal((signal) =>
      runTasks(
        [
          (both) => discover.run(both),
          ...(certificates === null ? [] : [(both: AbortSignal) => certificates.run(both)]),
          (both) => serveControl(controlSocketOf(runDir), discover, both),
          (both) => serveMetricsOf(discover, { bind: settings.metricsBind, log }, both),
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
