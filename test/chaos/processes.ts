import type { EngineHost } from '../lab/lab.js';

export type Role = 'init' | 'daemon' | 'haproxy master' | 'haproxy worker' | 'other';

export interface ProcessUse {
  readonly role: Role;
  readonly args: string;
  /** Resident memory. */
  readonly mib: number;
  readonly threads: number;
  /** Open file descriptors. */
  readonly files: number;
}

/** The processes of docker-register's or docker-discover's container. */
export async function processesOf(host: EngineHost, container: string): Promise<ProcessUse[]> {
  const table = await host.docker('top', container, '-o', 'pid,ppid,args');
  const rows = table
    .split('\n')
    .slice(1)
    .map((row) => {
      const [, pid = '', parent = '', args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [];
      return { pid, parent, args };
    });
  const roleOf = ({ parent, args }: (typeof rows)[number]): Role => {
    if (/^(\S+\/)?tini -- /.test(args)) return 'init';
    if (new RegExp(`^(\\S+/)?node \\S*${container}$`).test(args)) return 'daemon';
    if (!/^(\S+\/)?haproxy /.test(args)) return 'other';
    const above = rows.find(({ pid }) => pid === parent);
    return above !== undefined && /^(\S+\/)?haproxy /.test(above.args) ? 'haproxy worker' : 'haproxy master';
  };
  const look = rows.map(
    ({ pid }) =>
      `echo ${pid} $(awk '/^VmRSS|^Threads/ { print $2 }' /proc/${pid}/status) $(ls /proc/${pid}/fd | wc -l)`,
  );
  const { stdout } = await host.run(`{ ${look.join('; ')}; } 2>/dev/null`, { check: false });
  return stdout
    .trim()
    .split('\n')
    .flatMap((line) => {
      const cells = line.split(' ');
      const row = rows.find(({ pid }) => pid === cells[0]);
      // One that ended meanwhile has only its number left.
      if (row === undefined || cells.length < 4) return [];
      const [kib = 0, threads = 0, files = 0] = cells.slice(1).map(Number);
      return [{ role: roleOf(row), args: row.args, mib: kib / 1024, threads, files }];
    });
}
