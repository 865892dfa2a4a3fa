import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { generatedPages, withGenerated } from '../../scripts/generated.js';
import { attributeNames } from '../../src/core/attributes.js';
import { discoverMetrics } from '../../src/core/metrics/discover.js';
import { registerMetrics } from '../../src/core/metrics/register.js';
import { discoverOptions } from '../../src/cli/discover-settings.js';
import { registerOptions } from '../../src/cli/register-settings.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every page that a user may read. */
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...markdownIn('docs'), ...markdownIn('deploy')];

function markdownIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

function textsIn(folder: string, ending: string): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => read(join(folder, name)))
    .join('\n');
}

/** Anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): Set<string> {
  const headings = [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe.each(pages)('%s', (page) => {
  const text = read(page);

  test('has no link that leads nowhere', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken = links.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(file).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('names no metric that there is none', () => {
    const known = new Set(
      [...Object.values(registerMetrics), ...Object.values(discoverMetrics)].map(({ name }) => name),
    );
    const named = text.match(/\bdocker_(?:register|discover)_[a-z_]*[a-z]\b/g) ?? [];
    expect(named.filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')))).toEqual(
      [],
    );
  });
});

const settings = [...registerOptions(), ...discoverOptions()].map(({ envVar }) => envVar ?? '');

describe('settings', () => {
  test.each(['README.md', 'docs/settings.md'])('all stand in %s', (page) => {
    const text = read(page);
    expect(settings.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test('in tables of settings, there is none that the code does not have', () => {
    const rows = [...read('README.md').matchAll(/^\| `([A-Z][A-Z_]+)` +\| `--/gm)].map(([, name = '']) => name);
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.filter((name) => !settings.includes(name))).toEqual([]);
  });

  test('that a page sets in a command are settings of ours', () => {
    const commands = pages
      .filter((page) => page !== 'docs/migrate.md')
      .map(read)
      .join('\n');
    const set = [...commands.matchAll(/docker run[^\n]*(?:\\\n[^\n]*)*/g)]
      .filter(([command]) => /docker-(register|discover)\s*$/m.test(command))
      .flatMap(([command]) => [...command.matchAll(/-e '?([A-Z_]+)=/g)].map(([, name = '']) => name));
    expect(set.length).toBeGreaterThan(3);
    expect(set.filter((name) => !settings.includes(name))).toEqual([]);
  });
});

describe('labels', () => {
  const page = read('docs/labels.md');
  /** Those that are no attribute by themselves. */
  const others = ['NAME', 'PORT', 'IGNORE', 'ID', 'CHECK_HTTP', 'CHECK_TCP'];
  const labelOf = (attribute: string): string => attribute.toUpperCase().replaceAll('-', '_');

  test('of every attribute stand in the table, but for the state, which is no property of a container', () => {
    const missing = [...others, ...attributeNames.map(labelOf)].filter((name) => !page.includes(`SERVICE_${name}`));
    expect(missing).toEqual(['STATE']);
  });

  test('that a page names are labels of ours', () => {
    const known = new Set([...others, ...attributeNames.map(labelOf)]);
    // Examples of attributes of one's own have other names.
    const named = ['README.md', 'docs/labels.md', 'docs/troubleshooting.md'].flatMap((one) => [
      ...read(one).matchAll(/\bSERVICE_(?:(?:\d+|<port>)_)?([A-Z][A-Z_]*[A-Z])\b/g),
    ]);
    expect(named.map(([, name = '']) => name).filter((name) => !known.has(name))).toEqual([]);
  });

  test('and attributes stand in the table of attributes', () => {
    expect(attributeNames.filter((name) => !page.includes(`| \`${name}\` `))).toEqual([]);
  });
});

describe('words of the log', () => {
  const code = textsIn('src', '.ts').replaceAll(/'\s*\+\s*'/g, '');
  const pagesWithWords = pages.filter((page) => read(page).includes('“'));

  test.each(pagesWithWords)('that %s quotes are in the code', (page) => {
    const quoted = [...read(page).matchAll(/“([^”]+)”/g)].map(([, words = '']) => words.replaceAll(/\s+/g, ' '));
    expect(quoted.filter((words) => !code.includes(words))).toEqual([]);
  });
});

describe('what is made from the code', () => {
  test.each([...generatedPages()])('in %s is as the code has it: npm run docs', async (page, parts) => {
    const path = join(root, page);
    const made = await format(withGenerated(read(page), parts), { ...(await resolveConfig(path)), filepath: path });
    expect(read(page)).toBe(made);
  });
});
