import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCopy } from '../adapters/certificate-dir.js';
import { checkConfiguration } from '../adapters/haproxy/binary.js';
import type { Certificate } from '../core/certificates.js';
import { messageOf, SettingError } from '../core/errors.js';
import { blamedOf } from '../core/haproxy/blame.js';
import { render } from '../core/haproxy/render.js';
import type { Templates } from '../core/haproxy/templates.js';
import type { View } from '../core/haproxy/view.js';
import { ConfigurationRefusedError } from '../ports/proxy.js';

export interface TemplateCheck {
  /** Where the user has them; those that are built in if not given. */
  readonly path: string | undefined;
  readonly templates: Templates;
  readonly haproxy: string;
  /** What is checked, for the message. */
  readonly what?: string;
  /** Of which HAProxy gets a copy, instead of the directory that the view names. */
  readonly certificates?: readonly Certificate[];
}

/** What a template makes of a view. @throws SettingError */
export function renderTemplate({ path, templates }: Pick<TemplateCheck, 'path' | 'templates'>, view: View): string {
  const rendered = render(templates, view);
  if (rendered.ok) return rendered.value;
  throw new SettingError(`${nameOf(path)} can't be rendered: ${rendered.reason}`);
}

/**
 * Whether HAProxy takes what a template makes of a view; at the start, without any service, a mistake is told before
 * anything runs on it.
 *
 * @returns the configuration
 * @throws SettingError
 */
export async function checkTemplate(
  { path, templates, haproxy, what = nameOf(path), certificates }: TemplateCheck,
  view: View,
): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'docker-discover-'));
  let rendered = '';
  try {
    rendered = renderTemplate({ path, templates }, await withFilesIn(dir, view, certificates));
    const file = join(dir, 'haproxy.cfg');
    await writeFile(file, rendered, { mode: 0o600 });
    await checkConfiguration(haproxy, file, AbortSignal.timeout(30_000));
    return rendered;
  } catch (error) {
    if (error instanceof SettingError) throw error;
    throw new SettingError(`${what} is refused by HAProxy: ${wordsOf(error, rendered, view)}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** HAProxy's words, with the listeners that they are about instead of lines of a file that is gone by then. */
function wordsOf(error: unknown, text: string, { listeners }: View): string {
  if (!(error instanceof ConfigurationRefusedError)) return messageOf(error);
  const blamed = blamedOf(error.alerts, { text, names: new Set(listeners.map(({ name }) => name)) });
  if (blamed.size === 0) return messageOf(error);
  return [...blamed].map(([name, words]) => `${name}: ${words}`).join('; ');
}

/** The view with the files of the HTTP entrance, which HAProxy wants to see too, in a directory. */
async function withFilesIn(dir: string, view: View, certificates: readonly Certificate[] | undefined): Promise<View> {
  const { entrance } = view;
  if (entrance === null) return view;
  const routesFile = join(dir, 'routes.map');
  await writeFile(routesFile, '');
  if (entrance.https === null || certificates === undefined) return { ...view, entrance: { ...entrance, routesFile } };
  const directory = join(dir, 'certs');
  await writeCopy(certificates, directory);
  return { ...view, entrance: { ...entrance, routesFile, https: { ...entrance.https, certificates: directory } } };
}

function nameOf(path: string | undefined): string {
  return path === undefined ? 'the template that is built in' : `TEMPLATE ${JSON.stringify(path)}`;
}
