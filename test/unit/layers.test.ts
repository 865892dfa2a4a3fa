import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const src = fileURLToPath(new URL('../../src/', import.meta.url));
const mostLines = 200;

interface Import {
  readonly file: string;
  /** `core`, `adapters/etcd`, … for a file of ours; the name of a package or module of Node otherwise. */
  readonly target: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort();
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(src, file), 'utf8')));

/** `import … from 'x'`, `export … from 'x'`, `import 'x'` and `import('x')`. */
function importsOf(file: string, text: string): Import[] {
  const statements = text.matchAll(/^(import|export) (type )?(?:[^;'"]*? from )?'([^']+)'|\bimport\('([^']+)'\)/gm);
  return [...statements].map(([, , type, named, called]) => {
    const specifier = named ?? called ?? '';
    const target = specifier.startsWith('.') ? relative(src, join(src, dirname(file), specifier)) : specifier;
    return { file, target, typeOnly: type !== undefined };
  });
}

function layerOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function isWithin(path: string, ...folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

/** The imports of a layer that are not allowed, as lines to read. */
function strays(layer: string, allowed: (one: Import) => boolean): string[] {
  return imports
    .filter((one) => layerOf(one.file) === layer && !allowed(one))
    .map(({ file, target }) => `${file} imports ${target}`);
}

test('there are imports to look at, in every layer', () => {
  for (const layer of ['adapters', 'cli', 'core', 'daemon', 'library', 'page', 'ports']) {
    expect(imports.filter(({ file }) => layerOf(file) === layer).length, layer).toBeGreaterThan(0);
  }
  const counted = files.flatMap(
    (file) => readFileSync(join(src, file), 'utf8').match(/^(import|export)\b.* from /gm) ?? [],
  );
  expect(imports.length).toBeGreaterThanOrEqual(counted.length);
});

test.each([
  ["import { a } from './b.js';", 'core/b.js', false],
  ["import type { A } from '../ports/b.js';", 'ports/b.js', true],
  ["import {\n  a,\n  b,\n} from 'etcd3';", 'etcd3', false],
  ["export type { Logger } from 'pino';", 'pino', true],
  ["export * from '../cli/b.js';", 'cli/b.js', false],
  ["import 'node:fs';", 'node:fs', false],
  ["const late = await import('dockerode');", 'dockerode', false],
])('an import is found: %j', (text, target, typeOnly) => {
  expect(importsOf('core/a.ts', text)).toEqual([{ file: 'core/a.ts', target, typeOnly }]);
});

describe('the arrows of the layers', () => {
  test('every file is in a layer', () => {
    const known = ['adapters', 'cli', 'core', 'daemon', 'library', 'page', 'ports'];
    expect(files.filter((file) => !known.includes(layerOf(file)))).toEqual([]);
  });

  test('core imports only core, and the renderers Mustache', () => {
    const isRenderer = ({ file, target }: Import): boolean =>
      ['core/haproxy/render.ts', 'core/name-template.ts'].includes(file) && target === 'mustache';
    expect(strays('core', (one) => isWithin(one.target, 'core') || isRenderer(one))).toEqual([]);
  });

  test('ports import only core and ports', () => {
    expect(strays('ports', (one) => isWithin(one.target, 'core', 'ports'))).toEqual([]);
  });

  test('daemon imports only core, ports and daemon, and the timers of Node', () => {
    const isTimer = ({ target }: Import): boolean => target === 'node:timers/promises';
    expect(strays('daemon', (one) => isWithin(one.target, 'core', 'ports', 'daemon') || isTimer(one))).toEqual([]);
  });

  test('adapters import no daemon', () => {
    expect(strays('adapters', ({ target }) => !isWithin(target, 'daemon'))).toEqual([]);
  });

  test('the page in the browser imports only itself, and types of core', () => {
    expect(
      strays('page', (one) => isWithin(one.target, 'page') || (isWithin(one.target, 'core') && one.typeOnly)),
    ).toEqual([]);
    expect(imports.filter(({ file, target }) => layerOf(file) !== 'page' && isWithin(target, 'page'))).toEqual([]);
  });

  test('library wires core, daemon and the adapter of etcd, and imports nothing else', () => {
    const parts = ['library', 'core', 'daemon', 'adapters/etcd'];
    expect(strays('library', ({ target }) => isWithin(target, ...parts))).toEqual([]);
  });

  test('the public types of the library import nothing', () => {
    expect(imports.filter(({ file }) => file === 'library/types.ts')).toEqual([]);
  });

  test.each(['cli', 'library'])('nothing but %s imports %s', (top) => {
    const outside = imports.filter(({ file, target }) => layerOf(file) !== top && isWithin(target, top));
    expect(outside).toEqual([]);
  });

  test.each([
    ['dockerode', 'adapters/docker'],
    ['etcd3', 'adapters/etcd'],
    ['@grpc/grpc-js', 'adapters/etcd'],
    ['cockatiel', 'adapters/etcd'],
    ['mustache', 'core'],
    ['commander', 'cli'],
    ['pino', 'cli'],
    ['pino-pretty', 'cli'],
  ])('%s is imported in %s only', (vendor, folder) => {
    const users = imports.filter(({ target }) => target === vendor || target.startsWith(`${vendor}/`));
    expect(users.length).toBeGreaterThan(0);
    expect(users.filter(({ file }) => !isWithin(file, folder))).toEqual([]);
  });
});

test(`no file is longer than ${String(mostLines)} lines`, () => {
  const lengths = files.map(
    (file) => [file, readFileSync(join(src, file), 'utf8').trimEnd().split('\n').length] as const,
  );
  expect(lengths.filter(([, lines]) => lines > mostLines)).toEqual([]);
});
