import { readdirSync, readFileSync } from 'node:fs';

/**
 * Whoever ends this process by a signal ends all that it has started, and what those have.
 *
 * @param afterwards what is left to tidy up then
 */
export function endWithChildren(afterwards: () => void): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => {
      for (const pid of descendantsOf(process.pid)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
      }
      afterwards();
      process.kill(process.pid, signal);
    });
  // npm passes a SIGTERM on to its shell, and the shell doesn't pass it on to us.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.emit('SIGHUP'), 500).unref();
}

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${String(pid)}/task`).flatMap((task) =>
      readFileSync(`/proc/${String(pid)}/task/${task}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map(Number),
    );
  } catch (error) {
    // It ended meanwhile.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
