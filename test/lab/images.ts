import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, dropTemporaries, hashOf, keepFew, projectDir, publish } from './cache.js';
import type { Host } from './host.js';
import { ensureBaseImage } from './images/base-image.js';
import { withBuilder } from './images/builder.js';
import { exportHaproxy } from './images/haproxy-export.js';
import { buildWhoami } from './images/whoami.js';
import { takeLock } from './lock.js';

export interface Images {
  /** Where the archive of all images and the exported HAProxy are. */
  readonly dir: string;
  readonly ids: Readonly<Record<string, string>>;
}

const PRODUCTS = ['register', 'discover'] as const;
const NAMES = [...PRODUCTS.map((product) => `docker-${product}`), 'whoami'];
const INPUTS = [
  ...PRODUCTS.map((product) => `Dockerfile.${product}`),
  ...['.dockerignore', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'src', 'templates'],
  ...['test/lab/images.ts', 'test/lab/images'],
];

/** The product images and whoami, from the cache when they were built from the same inputs before. */
export async function ensureImages(log: (line: string) => void, signal?: AbortSignal): Promise<Images> {
  const key = await hashOf(INPUTS, process.arch);
  const dir = join(cacheDir(), 'images', key);
  if (!existsSync(dir)) {
    const lock = await takeLock('images', log, signal);
    try {
      // Another run may have built them while we waited.
      if (!existsSync(dir)) await buildImages(key, log, signal);
    } finally {
      await lock.release();
    }
  }
  await keepFew('images', key);
  return { dir, ids: JSON.parse(await readFile(join(dir, 'ids.json'), 'utf8')) as Record<string, string> };
}

/** Loads the images into a host's engine, unless it has the very same already. */
export async function loadImages(host: Host, images: Images, log: (line: string) => void): Promise<void> {
  const inspect = `docker image inspect -f '{{.Id}}' ${NAMES.join(' ')}`;
  const { stdout } = await host.run(inspect, { check: false });
  if (stdout.trim() === NAMES.map((name) => images.ids[name]).join('\n')) return;
  log(`images: loading them into ${host.name}`);
  await host.run(`docker load -q -i ${join(images.dir, 'images.tar')}`, { timeoutMs: 300_000 });
  await host.run('docker image prune -f');
}

async function buildImages(key: string, log: (line: string) => void, signal: AbortSignal | undefined): Promise<void> {
  await dropTemporaries();
  log('images: starting a builder engine');
  await withBuilder(signal, async (builder) => {
    await ensureBaseImage(builder, log);
    const { version } = JSON.parse(await readFile(join(projectDir, 'package.json'), 'utf8')) as { version: string };
    await publish('images', key, async (dir) => {
      for (const product of PRODUCTS) {
        log(`images: building docker-${product}`);
        const build = `docker build --network host --build-arg VERSION=${version} ${proxyArgs()}`;
        await builder.run(`${build} -f Dockerfile.${product} -t docker-${product} .`, {
          cwd: projectDir,
          timeoutMs: 600_000,
        });
      }
      log('images: building whoami');
      await buildWhoami(builder);
      log('images: saving them to the cache');
      const ids = await builder.docker('image', 'inspect', '-f', '{{.Id}}', ...NAMES);
      const idList = ids.split('\n');
      await writeFile(
        join(dir, 'ids.json'),
        JSON.stringify(Object.fromEntries(NAMES.map((name, i) => [name, idList[i]]))),
      );
      await builder.run(`docker save -o ${join(dir, 'images.tar')} ${NAMES.join(' ')}`, { timeoutMs: 300_000 });
      await exportHaproxy(builder, dir);
    });
    // Build stages of long ago; those of late are the builder's cache.
    await builder.run('docker image prune -f --filter until=72h');
  });
}

function proxyArgs(): string {
  const names = Object.keys(process.env).filter((name) => /^(https?|no)_proxy$/i.test(name));
  return names.map((name) => `--build-arg ${name}`).join(' ');
}
