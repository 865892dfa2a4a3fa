import type { Logger } from 'pino';
import { createOutputFile } from '../adapters/exec/output-file.js';
import { copyOf } from '../adapters/certificate-dir.js';
import { haproxyVersion } from '../adapters/haproxy/binary.js';
import { retireLeftovers } from '../adapters/haproxy/leftovers.js';
import { proxyPathsOf } from '../adapters/haproxy/paths.js';
import { createProxy } from '../adapters/haproxy/proxy.js';
import { createRouteMap } from '../adapters/haproxy/route-map.js';
import { formatBind } from '../core/haproxy/bind.js';
import { fixedBindsOf, hasEntrance } from '../core/haproxy/fixed-binds.js';
import { emptyModel } from '../core/haproxy/model.js';
import { undisturbed, viewOf, type ProxySettings } from '../core/haproxy/view.js';
import { createFileHands } from '../daemon/file-hands.js';
import type { Hands } from '../daemon/hands.js';
import { createHaproxyHands } from '../daemon/haproxy-hands.js';
import { createProxyKeeper } from '../daemon/proxy-keeper.js';
import { createRouteKeeper } from '../daemon/route-keeper.js';
import type { CertificatesRead } from '../ports/certificate-store.js';
import type { Meter } from '../ports/meter.js';
import { certificateStoreOf, copiesIn, readCertificates } from './discover-certificates.js';
import type { DiscoverSettings } from './discover-settings.js';
import { checkTemplate, renderTemplate } from './discover-template.js';
import type { Exec } from './exec-settings.js';
import { readTemplates } from './template-files.js';

const noCertificates: Pick<CertificatesRead, 'usable'> = { usable: [] };

/** Hands that are ready to be made, and what to say of them at the start. */
export interface Prepared {
  readonly about: Readonly<Record<string, string>>;
  /** @param onExit HAProxy ended by itself */
  make(tools: { readonly log: Logger; readonly meter: Meter }, onExit: () => void): Promise<Hands>;
}

/** A HAProxy of ours. @throws SettingError where there is none, or where it refuses the templates */
export async function prepareHaproxy(settings: DiscoverSettings, proxySettings: ProxySettings): Promise<Prepared> {
  const { haproxy, template, runDir } = settings;
  const version = await haproxyVersion(haproxy);
  // What is wrong with CERTS closes the HTTPS entrance alone, and is told when the daemon runs.
  const { usable } = await readCertificates(certificateStoreOf(settings), settings).catch(() => noCertificates);
  const templates = await readTemplates(template);
  const circumstances = { ...undisturbed, certificates: usable.length === 0 ? null : copyOf(usable, copiesIn(runDir)) };
  await checkTemplate(
    { path: template, templates, haproxy, certificates: usable },
    viewOf(emptyModel, proxySettings, circumstances),
  );
  const offers = fixedBindsOf(proxySettings).map(({ name, bind }) => [name, formatBind(bind)]);
  return {
    about: { haproxy: version, ...(Object.fromEntries(offers) as Record<string, string>) },

    async make({ log, meter }, onExit) {
      const paths = proxyPathsOf(runDir);
      // Of a daemon that was killed: its HAProxy has the ports that ours needs.
      await retireLeftovers(paths, log);
      const proxy = createProxy({
        binary: haproxy,
        paths,
        stopTimeoutMs: settings.stopTimeout,
        log: log.child({ from: 'haproxy' }),
        onExit,
      });
      const servers = createProxyKeeper({
        proxy,
        settings: proxySettings,
        templates,
        readTemplates: () => readTemplates(template),
        reloadIntervalMs: settings.reloadInterval,
        drainDeadlineMs: settings.drainDeadline,
        log,
        meter,
      });
      const keeper = hasEntrance(proxySettings)
        ? createRouteKeeper({ keeper: servers, map: createRouteMap(paths), log })
        : servers;
      return createHaproxyHands({ proxy, keeper, log });
    },
  };
}

/** A file and a command. @throws SettingError where the template can't be rendered */
export async function prepareExec(
  settings: DiscoverSettings,
  { proxySettings, exec }: { readonly proxySettings: ProxySettings; readonly exec: Exec },
): Promise<Prepared> {
  const { template, reloadInterval } = settings;
  const { path, ...commands } = exec;
  const templates = await readTemplates(template, { asFile: true });
  renderTemplate({ path: template, templates }, viewOf(emptyModel, proxySettings, undisturbed));
  return {
    about: { file: path, exec: exec.command },
    make: ({ log, meter }) =>
      Promise.resolve(
        createFileHands({
          output: createOutputFile({ path, ...commands }),
          path,
          settings: proxySettings,
          templates,
          readTemplates: () => readTemplates(template, { asFile: true }),
          intervalMs: reloadInterval,
          log,
          meter,
        }),
      ),
  };
}
