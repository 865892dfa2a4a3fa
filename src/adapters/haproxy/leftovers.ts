import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../ports/log.js';
import { codeOf } from '../asked.js';
import { allListening } from './listening.js';
import type { ProxyPaths } from './paths.js';

/** A HAProxy that is told to stop softly closes its listeners within milliseconds; one that did not in this time hangs. */
const closeTimeoutMs = 2_000;

/**
 * Takes the ports from each HAProxy of this run directory that still runs: one whose daemon was killed, a worker whose master
 * was, or one that hangs. Their connections may finish, until `hard-stop-after`; one that does not let go of its ports is
 * killed. Must not be called while a HAProxy is to stay.
 */
export async function retireLeftovers(paths: ProxyPaths, log: Logger): Promise<void> {
  const pids = await leftoversOf(paths);
  if (pids.length === 0) return;
  log.warn({ pids }, 'a HAProxy of this run directory is left over; it finishes its connections and takes no new one');
  // Master and workers alike: a master that hangs tells its worker nothing. To be told twice does no harm.
  for (const pid of pids) signalTo(pid, 'SIGUSR1');
  if (await haveLetGo(pids)) return;
  const hung = new Set(await holdersOf(pids));
  log.warn({ pids: [...hung] }, 'the HAProxy that is left over does not let go of its ports; it is killed');
  await killThose(paths, (pid) => hung.has(pid));
  await haveLetGo(pids);
}

/** Whether none of these listens any more, now or within the time that it may take. */
async function haveLetGo(pids: readonly number[]): Promise<boolean> {
  const deadline = performance.now() + closeTimeoutMs;
  for (;;) {
    if ((await holdersOf(pids)).length === 0) return true;
    if (performance.now() > deadline) return false;
    await sleep(10);
  }
}

/** Ends every HAProxy of this run directory at once. */
export async function killLeftovers(paths: ProxyPaths): Promise<void> {
  await killThose(paths, () => true);
}

/** Looks anew who is ours: a pid may belong to another process by now. */
async function killThose(paths: ProxyPaths, chosen: (pid: number) => boolean): Promise<void> {
  for (const pid of (await leftoversOf(paths)).filter(chosen)) signalTo(pid, 'SIGKILL');
}

/** Pids of all masters and workers that were started with our file and our master socket. */
async function leftoversOf({ config, masterSocket }: ProxyPaths): Promise<number[]> {
  const isOurs = async (pid: string): Promise<boolean> => {
    try {
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
      const hasSocket = words[words.indexOf('-S') + 1]?.split(',')[0] === masterSocket;
      if (!hasSocket || words[words.indexOf('-f') + 1] !== config) return false;
      // The same path in another container is another file.
      return await isHere(pid);
    } catch {
      // It has ended, or is none that we may look at.
      return false;
    }
  };
  const pids: number[] = [];
  for (const pid of await readdir('/proc')) if (/^\d+$/.test(pid) && (await isOurs(pid))) pids.push(Number(pid));
  return pids;
}

/** Whether it sees the same files as we do. */
async function isHere(pid: string): Promise<boolean> {
  const same = async (read: (who: string) => Promise<string>): Promise<boolean> =>
    (await read(pid)) === (await read('self'));
  return same((who) => readlink(`/proc/${who}/ns/mnt`)).catch((error: unknown) => {
    // A HAProxy that may open ports below 1024 shows no more than this to one who may not; a container has its own.
    if (isForbidden(error)) return same((who) => readFile(`/proc/${who}/cgroup`, 'utf8'));
    throw error;
  });
}

function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(String(codeOf(error)));
}

/** Those that take connections over TCP, or whose sockets the kernel has yet to close. */
async function holdersOf(pids: readonly number[]): Promise<number[]> {
  const listening = new Map((await allListening()).map(({ inode, uid }) => [`socket:[${inode}]`, uid]));
  const holders: number[] = [];
  for (const pid of pids) if (await holdsPort(pid, listening)) holders.push(pid);
  return holders;
}

/** @param listening user by socket, as that stands in `/proc/PID/fd`: `socket:[inode]` */
async function holdsPort(pid: number, listening: ReadonlyMap<string, number>): Promise<boolean> {
  const dir = `/proc/${String(pid)}`;
  // The state stands behind the name, which is in brackets: proc(5). A zombie has nothing any more.
  const state = /\) (\S)/.exec(await readFile(`${dir}/stat`, 'utf8').catch(() => ''))?.[1] ?? 'X';
  if ('ZX'.includes(state)) return false;
  const sockets = await socketsOf(String(pid)).catch((error: unknown) => (isForbidden(error) ? null : []));
  // One that does not show its files has what our user listens at, and we do not.
  if (sockets === null) {
    const own = new Set(await socketsOf('self'));
    return [...listening].some(([socket, uid]) => uid === process.getuid?.() && !own.has(socket));
  }
  // One that is just ending has no files left to show, while its sockets still listen for a moment.
  if (sockets.length === 0) return true;
  return sockets.some((socket) => listening.has(socket));
}

/** What its open files are. @throws where they are not shown to us: of some processes not even how many, of others all but that */
async function socketsOf(who: string): Promise<string[]> {
  const dir = `/proc/${who}/fd`;
  const linkOf = (fd: string): Promise<string> =>
    readlink(`${dir}/${fd}`).catch((error: unknown) => {
      if (isForbidden(error)) throw error;
      // Closed meanwhile.
      return '';
    });
  return Promise.all((await readdir(dir)).map(linkOf));
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
