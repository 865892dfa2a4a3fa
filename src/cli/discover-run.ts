import { join } from 'node:path';
import { askReady } from '../adapters/control/client.js';
import { serveControl } from '../adapters/control/server.js';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { createStateStore } from '../adapters/state-store.js';
import { haproxyVersion } from '../adapters/haproxy/binary.js';
import { retireLeftovers } from '../adapters/haproxy/leftovers.js';
import { proxyPathsOf } from '../adapters/haproxy/paths.js';
import { createProxy } from '../adapters/haproxy/proxy.js';
import { SettingError } from '../core/errors.js';
import { formatBind } from '../core/haproxy/bind.js';
import { emptyModel } from '../core/haproxy/model.js';
import { viewOf } from '../core/haproxy/view.js';
import { keyspaceOf } from '../core/keyspace.js';
import { createDiscover } from '../daemon/discover.js';
import { runTasks } from '../daemon/lifecycle.js';
import { createProxyKeeper } from '../daemon/proxy-keeper.js';
import { proxySettingsOf, type DiscoverSettings } from './discover-settings.js';
import { checkTemplate, readTemplate } from './discover-template.js';
import { createLogger } from './log.js';
import { serveMetricsOf } from './discover-metrics.js';
import { etcdHostMissing, required, runUntilSignal } from './main.js';
import { quietOf } from './options.js';
import { policyOf } from './policy-settings.js';
import { packageVersion } from './version.js';

export function controlSocketOf(runDir: string): string {
  return join(runDir, 'control.sock');
}

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
  const { prefix, haproxy, template, runDir, stateDir, bind, statsBind, poll, stale, linger, stopTimeout } = settings;
  const hosts = required(settings.etcdHost, etcdHostMissing);
  const version = await haproxyVersion(haproxy);
  const paths = proxyPathsOf(runDir);
  const proxySettings = proxySettingsOf(settings, paths);
  await refuseSecond(runDir);
  const text = await readTemplate(template);
  await checkTemplate({ path: template, text, haproxy }, viewOf(emptyModel, proxySettings, false));

  const log = createLogger('docker-discover', settings);
  log.info(
    { etcd: hosts, prefix, haproxy: version, stats: formatBind(statsBind), version: packageVersion() },
    'starting',
  );
  // Of a daemon that was killed: its HAProxy has the ports that ours needs.
  await retireLeftovers(paths, log);
  const client = createEtcdClient(hosts);
  const proxy = createProxy({
    binary: haproxy,
    paths,
    stopTimeoutMs: stopTimeout,
    log: log.child({ from: 'haproxy' }),
    onExit: () => {
      discover.trigger('HAProxy exited');
    },
  });
  const keeper = createProxyKeeper({
    proxy,
    settings: proxySettings,
    template: text,
    readTemplate: () => readTemplate(template),
    reloadIntervalMs: settings.reloadInterval,
    drainDeadlineMs: settings.drainDeadline,
    log,
  });
  const discover = createDiscover({
    registry: createRegistry({ client, hosts, keyspace: keyspaceOf(prefix) }),
    store: createStateStore(join(stateDir, 'last-known-good.json')),
    proxy,
    keeper,
    prefix,
    bind,
    statsBind,
    policy: policyOf(settings),
    pollMs: poll,
    staleMs: stale,
    lingerMs: linger,
    quiet: quietOf(settings),
    log,
  });
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
