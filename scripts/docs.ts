/** Writes into the documentation what the code knows better: `npm run docs`. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { generatedPages, withGenerated } from './generated.js';

const root = fileURLToPath(new URL('../', import.meta.url));

for (const [page, parts] of generatedPages()) {
  const path = `${root}${page}`;
  const text = withGenerated(await readFile(path, 'utf8'), parts);
  await writeFile(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
  process.stdout.write(`${page}\n`);
}
