import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOf, projectDir, temporaryDir } from '../cache.js';
import { CommandError } from '../command.js';
import type { Host } from '../host.js';

const RECIPE_LABEL = 'docker-discover.stand-in';
const SCRIPT = 'test/lab/images/stand-in.sh';

/** The image that the Dockerfiles start from: the real one where it can be pulled, otherwise a stand-in made of the same parts. */
export async function ensureBaseImage(builder: Host, log: (line: string) => void): Promise<void> {
  const base = await baseImage();
  const recipe = await hashOf([SCRIPT], base.tag);
  const label = `{{index .Config.Labels "${RECIPE_LABEL}"}}`;
  const there = await builder.run(`docker image inspect -f '${label}' ${base.tag}`, { check: false });
  if (there.code === 0 && ['', recipe].includes(there.stdout.trim())) return;
  if (await pull(builder, base.tag, log)) return;

  log(`images: making a stand-in for ${base.tag} (Debian ${base.suite}, Node ${base.major})`);
  const dir = await temporaryDir();
  try {
    await builder.run(`bash ${join(projectDir, SCRIPT)} ${dir} ${base.suite} ${base.major}`, { timeoutMs: 600_000 });
    const changes = [`LABEL ${RECIPE_LABEL}=${recipe}`, 'CMD ["node"]', 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/machine.crt'];
    const flags = changes.map((change) => `--change '${change}'`).join(' ');
    await builder.run(`set -o pipefail; tar -C ${dir}/root -c . | docker import ${flags} - ${base.tag}`, {
      timeoutMs: 120_000,
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function baseImage(): Promise<{ tag: string; major: string; suite: string }> {
  const text = await readFile(join(projectDir, 'Dockerfile.register'), 'utf8');
  const from = /^ARG BASE=(node:(\d+)-(\w+)-slim)$/m.exec(text);
  const [, tag, major, suite] = from ?? [];
  if (tag === undefined || major === undefined || suite === undefined) {
    throw new Error('Dockerfile.register: no line like ARG BASE=node:24-trixie-slim');
  }
  return { tag, major, suite };
}

async function pull(builder: Host, tag: string, log: (line: string) => void): Promise<boolean> {
  log(`images: pulling ${tag}`);
  try {
    // No registry in reach shows at once or never; a slow but moving pull shows by its output.
    await builder.run(`timeout 20 docker pull -q ${tag}`, { timeoutMs: 30_000 });
    return true;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    log(`images: no pull: ${error.result.stderr.trim().split('\n').at(-1) ?? error.reason}`);
    return false;
  }
}
