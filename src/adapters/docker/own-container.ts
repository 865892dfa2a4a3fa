import { readFile } from 'node:fs/promises';

/**
 * Id of the container in which this process runs; null where it runs in none of Docker's. Docker mounts files of the
 * container's own into it, from a directory that has its id.
 */
export async function ownContainerId(): Promise<string | null> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf)\s/.exec(mounts)?.[1] ?? null;
}
