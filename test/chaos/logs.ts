import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectDir } from '../lab/cache.js';
import type { Lab } from '../lab/lab.js';

const folder = join(projectDir, 'chaos-results');

/** Writes the lines of a run and the whole logs of the daemons to a folder; returns its name. */
export async function keepLogs(lab: Lab, lines: readonly string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'run.txt'), `${lines.join('\n')}\n`);
  for (const [hosts, container] of [
    [lab.backends, 'docker-register'],
    [lab.clients, 'docker-discover'],
  ] as const)
    for (const host of hosts) {
      const { stdout } = await host.run(`docker logs ${container} 2>&1`, { check: false });
      await writeFile(join(folder, `${container}-${host.name}.log`), stdout);
    }
  await writeFile(join(folder, 'etcd.log'), lab.etcd.log());
  return folder;
}
