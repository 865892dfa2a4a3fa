import type { EngineHost } from '../test/lab/lab.js';

/** What processes have used so far. */
export interface Cost {
  /** CPU time, ms; the kernel counts in steps of 10. */
  readonly cpuMs: number;
  /** Resident memory, MiB. */
  readonly mib: number;
  readonly processes: number;
}

/** Of those processes in a container whose command line matches. */
export async function costOf(host: EngineHost, container: string, commandLine: RegExp): Promise<Cost> {
  const table = await host.docker('top', container, '-o', 'pid,rss,args');
  const rows = table
    .split('\n')
    .slice(1)
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? []);
  const own = rows.filter(([, , , args = '']) => commandLine.test(args));
  if (own.length === 0) throw new Error(`no process in ${container} is ${String(commandLine)}:\n${table}`);
  const files = own.map(([, pid = '']) => `/proc/${pid}/stat`).join(' ');
  // A process that ended meanwhile cost nothing that could still be asked for.
  const { stdout } = await host.run(`cat ${files} 2>/dev/null`, { check: false });
  const stats = stdout.trim().split('\n');
  return {
    // Behind the name, which may hold spaces: the 12th and 13th, in hundredths of a second (proc(5): utime, stime).
    cpuMs: stats.reduce((sum, stat) => {
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return sum + 10 * (Number(fields[11]) + Number(fields[12]));
    }, 0),
    mib: own.reduce((sum, [, , rss = '']) => sum + Number(rss) / 1024, 0),
    processes: own.length,
  };
}
