/** One line of HAProxy's, in the form of our own log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** What every reload, every stop and every crash says; the daemon says it once, with the reason or the exit code. */
const routine =
  /^(Former worker \(\d+\) exited with code 0|Current worker \(\d+\) exited with code|exit-on-failure: |Exiting Master process|All workers exited\. |Proxy \S+ stopped )/;

/**
 * What the log proper says too: a change of a server, or a pool that is empty, goes to standard error as a warning as well. A new worker
 * repeats there what it took over of the old one's servers.
 */
const repeated = /^(config : )?(Server \S+ |(backend|proxy) \S+ has no server available!)/i;

const label = /\[(?:ALERT|WARNING|NOTICE)\] +\(\d+\) : /;

/**
 * HAProxy writes to standard error in pieces of 128 bytes, and the workers share it: where two write at a time, one line begins with the
 * beginnings of both, and the end of such a warning is a line of its own.
 */
const torn = /^(?!Server ).*\d+ (?:remaining|total) in queue\.$/;

/** HAProxy cuts its own at 1,024 bytes; what it warns of may be longer, and has words of clients and back ends in it all the same. */
const longestLine = 2_000;

/**
 * Takes a line apart: `[ALERT]   (123) : text` from the master, bare text from the log of the worker, and single requests and
 * connections in the format of our own template (ACCESS_LOG).
 *
 * @returns null for what says nothing, or what another line says too
 */
export function parseLogLine(whole: string): LogLine | null {
  const line = whole.length <= longestLine ? whole : `${whole.slice(0, longestLine)}…`;
  const [, level, text = line] = /^\[(ALERT|WARNING|NOTICE)\]\s*\(\d+\)\s*:\s*(.*)$/.exec(line) ?? [];
  if (text.trim() === '') return null;
  const [beginning = '', ...messages] = line.split(label);
  if (beginning === '' && messages.length > 0 && messages.every((message) => repeated.test(message))) return null;
  if (beginning === line && torn.test(line) && !line.startsWith('access ')) return null;
  if (level === 'NOTICE' || routine.test(text)) return { level: 'debug', message: text, fields: {} };
  if (level !== undefined) return { level: level === 'ALERT' ? 'error' : 'warn', message: text, fields: {} };
  return accessOf(text) ?? serverOf(text) ?? emptyOf(text) ?? { level: 'info', message: text, fields: {} };
}

/** `access http 10.0.0.1:52814 web:8000 web:8000/a 0/0/1/4/5 500 -- 404 abc GET /x` */
function accessOf(line: string): LogLine | null {
  const words = line.split(' ');
  if (words.shift() !== 'access') return null;
  const kind = words.shift();
  if (kind !== 'http' && kind !== 'tcp') return null;
  const [client = '', frontend = '', target = '', times = '', bytes = '', termination = ''] = words;
  const [listener, server] = splitLast(target);
  const ms = times.split('/').map(Number);
  const common = { client, ...(frontend !== listener && { frontend }), listener, server };
  if (kind === 'tcp') {
    const [queuedMs = 0, connectMs = 0, totalMs = 0] = ms;
    const fields = { ...common, queuedMs, connectMs, totalMs, bytes: Number(bytes), termination };
    return { level: 'info', message: 'connection', fields };
  }
  const [queuedMs = 0, connectMs = 0, responseMs = 0, totalMs = 0] = ms;
  const [status = '', requestId = '', method = '', ...path] = words.slice(6);
  return {
    level: 'info',
    message: 'request',
    fields: {
      ...common,
      method,
      path: path.join(' '),
      status: Number(status),
      queuedMs,
      connectMs,
      responseMs,
      totalMs,
      bytes: Number(bytes),
      termination,
      ...(requestId !== '-' && { requestId }),
    },
  };
}

/**
 * `Server web:8000/a is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 1 active and
 * 0 backup servers left. …`
 */
function serverOf(line: string): LogLine | null {
  const [, target, change = '', rest = ''] = /^Server (\S+) is (.*?)(?:, (reason: .*)|\. .*|\.)?$/.exec(line) ?? [];
  if (target === undefined) return null;
  const [listener, server] = splitLast(target);
  const found = (pattern: RegExp): string | undefined => pattern.exec(line)?.[1];
  const reason = /^reason: ([^,.]*)/.exec(rest)?.[1];
  const [info, code, checkMs] = [found(/, info: "(.*)"(?:, |\. )/), found(/, code: (\d+)/), found(/duration: (\d+)ms/)];
  const [active, backup] = [found(/(\d+) active and/), found(/active and (\d+) backup/)];
  const fields = {
    listener,
    server,
    state: change,
    ...(reason !== undefined && { reason }),
    ...(info !== undefined && { info }),
    ...(code !== undefined && { code: Number(code) }),
    ...(checkMs !== undefined && { checkMs: Number(checkMs) }),
    ...(active !== undefined && { active: Number(active) }),
    ...(backup !== undefined && { backup: Number(backup) }),
  };
  if (/^DOWN\b/.test(change)) return { level: 'warn', message: 'a server is down', fields };
  if (/^UP\b/.test(change)) return { level: 'info', message: 'a server is up', fields };
  return { level: 'info', message: 'a server changed', fields };
}

function emptyOf(line: string): LogLine | null {
  const [, listener] = /^(?:backend|proxy) (\S+) has no server available!$/.exec(line) ?? [];
  return listener === undefined
    ? null
    : { level: 'warn', message: 'a listener has no server that is up', fields: { listener } };
}

/** `web:8000/a` → listener and server; neither has a slash in its name. */
function splitLast(target: string): [string, string] {
  const at = target.lastIndexOf('/');
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}
