import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../ports/log.js';
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
  const mounts = await readlink('/proc/self/ns/mnt');
  const isOurs = async (pid: string): Promise<boolean> => {
    try {
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
      const hasSocket = words[words.indexOf('-S') + 1]?.split(',')[0] === masterSocket;
      if (!hasSocket || words[words.indexOf('-f') + 1] !== config) return false;
      // The same path in another container is another file.
      return (await readlink(`/proc/${pid}/ns/mnt`)) === mounts;
    } catch {
      // It has ended, or is none that we may look at.
      return false;
    }
  };
  const pids: number[] = [];
  for (const pid of await readdir('/proc')) if (/^\d+$/.test(pid) && (await isOurs(pid))) pids.push(Number(pid));
  return pids;
}

/** Those that take connections over TCP, or whose sockets the kernel has yet to close. */
async function holdersOf(pids: readonly number[]): Promise<number[]> {
  const listening = await listeningSockets();
  const holders: number[] = [];
  for (const pid of pids) if (await holdsPort(pid, listening)) holders.push(pid);
  return holders;
}

/** @param listening as they stand in `/proc/PID/fd`: `socket:[inode]` */
async function holdsPort(pid: number, listening: ReadonlySet<string>): Promise<boolean> {
  const dir = `/proc/${String(pid)}`;
  // The state stands behind the name, which is in brackets: proc(5). A zombie has nothing any more.
  const state = /\) (\S)/.exec(await readFile(`${dir}/stat`, 'utf8').catch(() => ''))?.[1] ?? 'X';
  if ('ZX'.includes(state)) return false;
  const files = await readdir(`${dir}/fd`).catch(() => []);
  // One that is just ending has no files left to show, while its sockets still listen for a moment.
  if (files.length === 0) return true;
  const sockets = await Promise.all(files.map((fd) => readlink(`${dir}/fd/${fd}`).catch(() => '')));
  return sockets.some((socket) => listening.has(socket));
}

/** All of this network namespace. See proc_net_tcp in the kernel's documentation; state 0A is LISTEN. */
async function listeningSockets(): Promise<Set<string>> {
  const sockets = new Set<string>();
  for (const family of ['tcp', 'tcp6']) {
    const table = await readFile(`/proc/self/net/${family}`, 'utf8').catch(() => '');
    for (const line of table.split('\n')) {
      const cells = line.trim().split(/\s+/);
      if (cells[3] === '0A') sockets.add(`socket:[${cells[9] ?? ''}]`);
    }
  }
  return sockets;
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
