import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, SettingError } from '../core/errors.js';
import { mainName, templatesOf, type TemplateFile, type Templates } from '../core/haproxy/templates.js';

const ending = '.mustache';
const builtInDirectory = fileURLToPath(new URL('../../templates/', import.meta.url));

/**
 * The templates that are built in, with those of the user in the place of theirs.
 *
 * @param path of a file, which is the whole configuration, or of a directory with files named as the built-in ones are, and
 *   `services/<service>.mustache`; the built-in ones alone if not given
 * @param options `asFile`: a directory is none
 * @throws SettingError
 */
export async function readTemplates(path: string | undefined, { asFile = false } = {}): Promise<Templates> {
  const builtIn = await filesIn(builtInDirectory);
  if (path === undefined) return templatesOf(builtIn, []);
  try {
    const isDirectory = (await stat(path)).isDirectory();
    if (isDirectory && asFile)
      throw new SettingError(
        `TEMPLATE ${JSON.stringify(path)} is a directory; with EXEC it is the file that OUTPUT is made of`,
      );
    if (!isDirectory) return templatesOf(builtIn, [{ name: mainName, text: await readFile(path, 'utf8') }]);
    const own = [...(await filesIn(path)), ...(await filesIn(path, 'services'))];
    if (own.length > 0) return templatesOf(builtIn, own);
  } catch (error) {
    if (error instanceof SettingError) throw error;
    throw new SettingError(`TEMPLATE ${JSON.stringify(path)} can't be read: ${messageOf(error)}`);
  }
  throw new SettingError(
    `TEMPLATE ${JSON.stringify(path)} is a directory without a file that ends in ${ending}, such as listener${ending} or services/shop${ending}`,
  );
}

async function filesIn(directory: string, below = ''): Promise<TemplateFile[]> {
  const entries = await readdir(join(directory, below), { withFileTypes: true }).catch((error: unknown) => {
    if (below !== '' && error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && entry.name.endsWith(ending))
    .map(({ name }) => join(below, name))
    .sort();
  return Promise.all(
    names.map(async (name) => ({
      name: join(below, basename(name, ending)),
      text: await readFile(join(directory, name), 'utf8'),
    })),
  );
}
