import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const builtIn = fileURLToPath(new URL('../../../templates/', import.meta.url));
export const examples = join(builtIn, 'examples');

/** A directory of templates of a user, each with its text. @returns its path */
export async function writeTemplates(dir: string, texts: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(dir, 'templates');
  for (const [name, text] of Object.entries(texts)) {
    const file = join(directory, `${name}.mustache`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return directory;
}

/** The text of a built-in template with something else in it. */
export async function builtInWith(name: string, from: string, to: string): Promise<string> {
  const text = await readFile(join(builtIn, `${name}.mustache`), 'utf8');
  if (!text.includes(from)) throw new Error(`the template ${name} has no ${JSON.stringify(from)}`);
  return text.replace(from, to);
}
