import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createConfigFile, type ConfigFile } from '../../../../src/adapters/haproxy/config-file.js';
import { proxyPathsOf, type ProxyPaths } from '../../../../src/adapters/haproxy/paths.js';

let dir: string;
let paths: ProxyPaths;
let file: ConfigFile;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'config-file-'));
  paths = proxyPathsOf(dir);
  file = createConfigFile(paths);
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const onDisk = (): string => readFileSync(paths.config, 'utf8');

async function load(text: string): Promise<void> {
  await file.offer(text);
  await file.take(text);
  file.loaded(text);
}

test('says what is kept when that is told to be done', async () => {
  expect(await file.keep(() => 'one')).toBeNull();
  expect(onDisk()).toBe('one');
});

test('of what is kept while it is written only the last is written after it', async () => {
  const asked: string[] = [];
  const text = (name: string) => (): string => {
    asked.push(name);
    return name.repeat(5_000_000);
  };
  const first = file.keep(text('a'));
  const others = ['b', 'c', 'd'].map((name) => file.keep(text(name)));
  await Promise.all([first, ...others]);
  expect(onDisk().at(0)).toBe('d');
  expect(asked.length).toBeLessThanOrEqual(2);
});

test('what waits to be written is written at the end, without the rest', async () => {
  await file.keep(() => 'a'.repeat(20_000_000));
  const late = file.keep(() => 'b');
  await file.end();
  expect(onDisk()).toBe('b');
  expect(await late).toBeNull();
});

test('what is taken is not overwritten by what was kept before it', async () => {
  await load('loaded');
  const before = file.keep(() => 'kept');
  await file.offer('taken');
  await file.take('taken');
  expect(await before).toBeNull();
  expect(onDisk()).toBe('taken');
  file.loaded('taken');
  await file.keep(() => 'later');
  expect(onDisk()).toBe('later');
});

test('what HAProxy did not load gives way to what was kept last', async () => {
  await load('loaded');
  await file.keep(() => 'kept');
  await file.offer('bad');
  await file.take('bad');
  const late = file.keep(() => 'kept during the reload');
  await file.giveBack();
  await late;
  expect(onDisk()).toBe('kept during the reload');
});

test('a file that can not be written is told with its path, and catches up', async () => {
  writeFileSync(join(dir, 'in-the-way'), '');
  const lost = createConfigFile({ ...paths, config: join(dir, 'in-the-way', 'haproxy.cfg') });
  expect(await lost.keep(() => 'one')).toContain(join(dir, 'in-the-way'));
  rmSync(join(dir, 'in-the-way'));
  expect(await lost.keep(() => 'one')).toBeNull();
});
