import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfiguration } from '../adapters/haproxy/binary.js';
import { messageOf, SettingError } from '../core/errors.js';
import { emptyModel } from '../core/haproxy/model.js';
import { render } from '../core/haproxy/render.js';
import { viewOf, type ProxySettings } from '../core/haproxy/view.js';

/** @throws SettingError */
export async function readTemplate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SettingError(`TEMPLATE ${JSON.stringify(path)} can't be read: ${messageOf(error)}`);
  }
}

export interface TemplateCheck {
  readonly path: string;
  readonly text: string;
  readonly haproxy: string;
  readonly settings: ProxySettings;
}

/**
 * Whether HAProxy takes the template without any service. A mistake is told here, before anything runs on it.
 *
 * @throws SettingError
 */
export async function checkTemplate({ path, text, haproxy, settings }: TemplateCheck): Promise<void> {
  const rendered = render(text, viewOf(emptyModel, settings, false));
  if (!rendered.ok) throw new SettingError(`TEMPLATE ${JSON.stringify(path)} can't be rendered: ${rendered.reason}`);
  const dir = await mkdtemp(join(tmpdir(), 'docker-discover-'));
  try {
    const file = join(dir, 'haproxy.cfg');
    await writeFile(file, rendered.value, { mode: 0o600 });
    await checkConfiguration(haproxy, file, AbortSignal.timeout(30_000));
  } catch (error) {
    throw new SettingError(`TEMPLATE ${JSON.stringify(path)} is refused by HAProxy: ${messageOf(error)}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
