import { readFile } from 'node:fs/promises';

/**
 * Hard limit of open files of a process, Infinity where there is none (proc_pid_limits(5)); null where it can't be read.
 * A process that the daemon started has the daemon's.
 */
export async function openFilesLimit(pid: number | null): Promise<number | null> {
  const read = (who: string): Promise<string> => readFile(`/proc/${who}/limits`, 'utf8');
  // Of another user's process, or in another PID namespace, it can't be read.
  const own = (): Promise<string> => read('self').catch(() => '');
  const text = pid === null ? await own() : await read(String(pid)).catch(own);
  const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(text) ?? [];
  if (hard === undefined) return null;
  return hard === 'unlimited' ? Infinity : Number(hard);
}
