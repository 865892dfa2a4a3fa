import { nothingKnown } from '../core/catalog-state.js';
import type { DiscoverStatus } from '../core/discover-status.js';
import { formatPace } from '../core/haproxy/check-pace.js';
import { codeOf, inAscii, printable } from '../core/result.js';
import { paintedStatus, plain, type Paint } from './paint.js';
import { formatTable } from './table.js';

/** A hundred thousand keys that break the grammar must not push the services off the screen. */
const mostProblems = 50;
const shownKeyLength = 100;

/** For a person to read. */
export function statusText(status: DiscoverStatus, paint: Paint = plain): string {
  const { catalog, haproxy, checks, output, fault, listeners, problems } = status;
  const hands =
    output === null
      ? `haproxy: ${haproxySummary(haproxy, paint)}`
      : `${output.path}: EXEC ran ${countOf(output.runs, 'time')}`;
  const lines = [`etcd: ${catalogText(catalog, paint)}    ${hands}`];
  for (const [name, change] of [
    ['last change', haproxy.lastChange],
    ['last reload', haproxy.lastReload],
    ['last run', output?.lastRun ?? null],
  ] as const) {
    if (change !== null) lines.push(`${name} ${ageOf(change.at)} ago: ${inAscii(change.what)}`);
  }
  if (checks.because !== null) lines.push(formatPace(checks));
  if (fault !== null) lines.push(paint('bad', `fault: ${inAscii(fault)}`));
  const stale = listeners.flatMap(({ endpoints }) => endpoints.filter((endpoint) => endpoint.stale)).length;
  if (stale > 0)
    lines.push(
      paint(
        'doubtful',
        `stale: ${countOf(stale, 'endpoint')} whose registrations expired without a withdrawal; health checks decide over them`,
      ),
    );
  const parts = [`${lines.join('\n')}\n`];

  const rows = listeners.flatMap(({ service, port, endpoints }) =>
    endpoints.length === 0
      ? [[service, portText(port), '(no endpoint)', '', '', '', '', '']]
      : endpoints.map((endpoint) => [
          service,
          portText(port),
          endpoint.address,
          endpoint.id,
          paintedStatus(paint, endpoint, endpoint.stale ? `${endpoint.status} (stale)` : endpoint.status),
          endpoint.check,
          String(endpoint.weight),
          String(endpoint.sessions),
        ]),
  );
  parts.push(
    rows.length === 0
      ? `${catalog === 'none' ? `no service is known: ${nothingKnown}` : 'no service is registered'}\n`
      : formatTable(['SERVICE', 'PORT', 'ENDPOINT', 'ID', 'STATUS', 'CHECK', 'WEIGHT', 'SESSIONS'], rows, paint),
  );
  const routes = listeners.flatMap(({ service, routes: own }) => own.map((route) => [route, service]));
  if (routes.length > 0)
    parts.push(formatTable([output === null ? 'HTTP ENTRANCE' : 'ROUTE', 'SERVICE'], routes.sort(), paint));
  if (problems.length > 0) parts.push(problemsTable(problems, paint));
  return parts.join('\n');
}

function catalogText(catalog: DiscoverStatus['catalog'], paint: Paint): string {
  if (catalog === 'none') return paint('bad', 'has not answered yet');
  return paint(catalog === 'live' ? 'good' : 'doubtful', catalog);
}

function portText(port: number | null): string {
  return port === null ? '-' : String(port);
}

/** The first of them; a key is whatever somebody wrote to etcd, and this goes to a terminal. */
export function problemsTable(problems: DiscoverStatus['problems'], paint: Paint = plain): string {
  const rows = problems
    .slice(0, mostProblems)
    .map(({ key, reason }) => [printable(key, shownKeyLength), inAscii(reason)]);
  const table = formatTable(['NOT SERVED', 'REASON'], rows, paint);
  const more = problems.length - rows.length;
  return more > 0 ? `${table}and ${String(more)} more; --json lists all ${String(problems.length)}\n` : table;
}

/** The same JSON for who parses it, and nothing that a terminal would obey for who looks at it. */
export function asciiJson(body: unknown): string {
  return JSON.stringify(body, null, 2).replace(/[^\n -~]/g, codeOf);
}

function haproxySummary(
  { running, workerPid, silence, reloads, runtimeChanges }: DiscoverStatus['haproxy'],
  paint: Paint,
): string {
  if (!running) return paint('bad', 'not running');
  if (silence !== null) return paint('bad', `running, and does not answer: ${inAscii(silence)}`);
  return `running, worker ${String(workerPid ?? '?')}, ${countOf(reloads, 'reload')}, ${countOf(runtimeChanges, 'change')} without a reload`;
}

/** Seconds, minutes or hours since a time, whole. */
function ageOf(at: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000));
  if (seconds < 120) return `${String(seconds)}s`;
  return seconds < 7200 ? `${String(Math.round(seconds / 60))}m` : `${String(Math.round(seconds / 3600))}h`;
}

function countOf(count: number, thing: string): string {
  return `${String(count)} ${thing}${count === 1 ? '' : 's'}`;
}
