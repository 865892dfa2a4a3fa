import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { projectDir, temporaryDir } from '../cache.js';
import type { Host } from '../host.js';

/** A tiny service that answers with the name of its container. */
export async function buildWhoami(builder: Host): Promise<void> {
  const context = await temporaryDir();
  try {
    const source = join(projectDir, 'test/lab/images/whoami');
    await Promise.all([
      ...['Dockerfile', 'serve'].map((name) => copyFile(join(source, name), join(context, name))),
      builder.run(`cp "$(readlink -f "$(command -v busybox)")" ${join(context, 'busybox')}`),
    ]);
    await builder.run(`docker build -t whoami ${context}`);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
