import { proxyPathsOf } from '../adapters/haproxy/paths.js';
import { SettingError } from '../core/errors.js';
import { emptyModel } from '../core/haproxy/model.js';
import { undisturbed, viewOf } from '../core/haproxy/view.js';
import type { Reading } from './discover-render.js';
import { proxySettingsOf, type DiscoverSettings } from './discover-settings.js';
import { checkTemplate, renderTemplate } from './discover-template.js';
import { execOf } from './exec-settings.js';
import { readTemplates } from './template-files.js';

/** What stands in etcd now, or why it could not be read. */
export type Settled =
  { readonly ok: true; readonly reading: Reading } | { readonly ok: false; readonly error: unknown };

/** Never rejects: more than one check waits for it. */
export function settled(reading: Promise<Reading>): Promise<Settled> {
  return reading.then(
    (value) => ({ ok: true, reading: value }),
    (error: unknown) => ({ ok: false, error }),
  );
}

/**
 * As `render --check`; with EXEC it is rendered alone. Where etcd does not answer, it is as it is without services.
 *
 * @throws SettingError
 */
export async function checkTemplateNow(
  settings: DiscoverSettings,
  settling: Promise<Settled>,
): Promise<{ listeners: number; isEtcdRead: boolean }> {
  const { template: path, haproxy, runDir } = settings;
  const isOurs = execOf(settings) === null;
  const templates = await readTemplates(path, { asFile: !isOurs });
  const read = await settling;
  if (!read.ok && read.error instanceof SettingError) throw read.error;
  const { view, certificates } = read.ok
    ? read.reading
    : {
        view: viewOf(emptyModel, await proxySettingsOf(settings, proxyPathsOf(runDir)), undisturbed),
        certificates: [],
      };
  if (isOurs) {
    const what = 'what is rendered for etcd as it stands';
    await checkTemplate({ path, templates, haproxy, what, certificates }, view);
  } else renderTemplate({ path, templates }, view);
  return { listeners: view.listeners.length, isEtcdRead: read.ok };
}
