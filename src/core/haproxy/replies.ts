import { formatAddress, parsePort } from '../address.js';
import { inAscii } from '../result.js';
import type { ServerLines } from './configuration.js';

const longestCheck = 200;

/** What `show stat` tells of one server. */
export interface ServerStatus {
  readonly listener: string;
  readonly server: string;
  /** `UP`, `DOWN`, `DRAIN`, `MAINT`, or on its way between two of them, such as `UP 1/3`. */
  readonly status: string;
  /** Result of the last check, such as `L4OK` or `L4CON`; empty before the first. */
  readonly check: string;
  /** The same in words: `Layer4 connection problem: Connection refused`; empty before the first. */
  readonly checkText: string;
  /** How long it has had this status, seconds. */
  readonly sinceSeconds: number;
  /** Connections that it has now. */
  readonly sessions: number;
}

/** One server's line of `show servers state`. */
export interface ServerState {
  readonly listener: string;
  readonly server: string;
  /** `ip:port` or `[ipv6]:port`. */
  readonly address: string;
  readonly weight: number;
  /** Somebody put it into maintenance: we, to take it out, or a hand. */
  readonly maint: boolean;
  /** Somebody drained it by hand: it takes no new connection. */
  readonly drain: boolean;
}

/** A table by its header: column name → value, whatever the order of the columns in this version of HAProxy. */
function rowsOf(lines: readonly string[], separator: string): ReadonlyMap<string, string>[] {
  const headerAt = lines.findIndex((line) => line.startsWith('# '));
  const header = lines[headerAt]?.slice(2).split(separator);
  if (header === undefined) throw new Error('HAProxy answered without the header of a table: the reply was cut');
  return lines
    .slice(headerAt + 1)
    .filter((line) => line !== '')
    .map((line) => {
      const cells = cellsOf(line, separator);
      if (cells.length < header.length)
        throw new Error('HAProxy answered with half a line of a table: the reply was cut');
      return new Map(header.map((name, index) => [name, cells[index] ?? '']));
    });
}

/** A cell with a comma, such as what a server said to a check, stands between quotes. */
function cellsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator);
  const cells = line.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^,]*)(?=,|$)/g) ?? [];
  return cells.map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
}

/** A check has the words of whoever answered it: the reason beside the status code of a back end is of its choice. */
function shownCheckOf(text: string): string {
  const shown = inAscii(text);
  return shown.length <= longestCheck ? shown : `${shown.slice(0, longestCheck)}…`;
}

/** The reply to `show stat -1 4 -1` (servers only). */
export function parseShowStat(reply: string): ServerStatus[] {
  return rowsOf(reply.split('\n'), ',').map((row) => ({
    listener: row.get('pxname') ?? '',
    server: row.get('svname') ?? '',
    status: row.get('status') ?? '',
    check: (row.get('check_status') ?? '').replace('* ', ''),
    checkText: shownCheckOf(
      [row.get('check_desc'), row.get('last_chk')].filter((text) => text !== undefined && text !== '').join(': '),
    ),
    sinceSeconds: Number(row.get('lastchg') ?? ''),
    sessions: Number(row.get('scur') ?? ''),
  }));
}

/**
 * The reply to `show servers state`, or to several of them on one line: of each a version line, the header, a line per
 * server, an empty line.
 */
export function parseServersState(reply: string, questions = 1): ServerState[] {
  const tables = reply.split(/^1\n/m).slice(1);
  if (tables.length !== questions || !reply.endsWith('\n\n')) {
    throw new Error(`HAProxy did not tell the state of its servers: ${JSON.stringify(reply.slice(-200))}`);
  }
  return tables.flatMap((table) => rowsOf(table.split('\n'), ' ').map(serverStateOf));
}

/**
 * Bits of `srv_admin_state` (management guide, 9.3) that the runtime API sets, and that `state ready` clears. The others come
 * from elsewhere, and no command to this server takes them away: a server that it tracks (0x02, 0x10), a name that is
 * not resolved (0x20).
 */
const forcedMaint = 0x01;
const forcedDrain = 0x08;
/** `disabled` in the file: that server is in maintenance because its line says so. */
const maintByFile = 0x04;

function serverStateOf(row: ReadonlyMap<string, string>): ServerState {
  const host = row.get('srv_addr') ?? '';
  const admin = Number(row.get('srv_admin_state') ?? '');
  return {
    listener: row.get('be_name') ?? '',
    server: row.get('srv_name') ?? '',
    address: formatAddress({ host, port: Number(row.get('srv_port') ?? '') }),
    weight: Number(row.get('srv_uweight') ?? ''),
    maint: (admin & (forcedMaint | maintByFile)) === forcedMaint,
    drain: (admin & forcedDrain) !== 0,
  };
}

/**
 * What may go into the server state file before a reload: the lines of servers that keep address and weight, and that
 * nobody took out of the pool. HAProxy would restore an old port over the new one (and an old weight over the same initial one), so a
 * server that changes starts afresh.
 */
export function carriedState(reply: string, desired: ServerLines): string {
  const lines = reply.split('\n');
  const rows = rowsOf(lines, ' ').map(serverStateOf);
  const headerAt = lines.findIndex((line) => line.startsWith('# '));
  const body = lines.slice(headerAt + 1).filter((line) => line !== '');
  const carried = body.filter((_line, index) => {
    const row = rows[index];
    const line = row === undefined ? undefined : desired.get(row.listener)?.get(row.server);
    return row !== undefined && !row.maint && !row.drain && row.address === line?.address && row.weight === line.weight;
  });
  return [...lines.slice(0, headerAt + 1), ...carried, ''].join('\n');
}

/** What the runtime API says when it does what it is told. */
const fine =
  /^(New server registered\.|Server deleted\.|nothing changed|no need to change .*|(IP|port) changed from .*)$/;
const busy = /^Server still has connections attached to it/;

/**
 * The reply to steps.
 *
 * @returns how many servers could not be deleted yet because they have connections, and what was rejected in HAProxy's words
 */
export function parseStepsReply(reply: string): { readonly busy: number; readonly rejected: string | null } {
  const lines = reply.split('\n').filter((line) => line.trim() !== '' && !fine.test(line));
  const rejected = lines.find((line) => !busy.test(line));
  return { busy: lines.filter((line) => busy.test(line)).length, rejected: rejected?.trim() ?? null };
}

/** The master's answer to `reload` (3.0 and up): `Success=1` or `Success=0`, then the start-up log of the new worker. */
export function parseReload(reply: string): { readonly success: boolean; readonly log: string } {
  const [, verdict, log] = /^Success=([01])\n?(?:--\n)?([\s\S]*)$/.exec(reply.trim()) ?? [];
  if (verdict === undefined)
    throw new Error(`the master did not say whether the reload succeeded: ${JSON.stringify(reply.slice(0, 200))}`);
  return { success: verdict === '1', log: (log ?? '').trim() };
}

/** Ports that HAProxy could not bind, from its start-up log: `cannot bind socket (Address already in use) for [*:8000]`. */
export function unboundPorts(log: string): number[] {
  const ports = [...log.matchAll(/cannot bind (?:UNIX )?socket \([^)]*\) for \[[^\]]*?:(\d+)\]/g)].flatMap(
    ([, text]) => {
      const port = parsePort(text ?? '');
      return port.ok ? [port.value] : [];
    },
  );
  return [...new Set(ports)];
}

/** The pid of the current worker, from `show proc` on the master socket; null where none runs. */
export function parseWorkerPid(reply: string): number | null {
  const section = reply.split('# workers')[1]?.split('# ')[0] ?? '';
  const [, pid] = /^(\d+)\s+worker\b/m.exec(section) ?? [];
  return pid === undefined ? null : Number(pid);
}
