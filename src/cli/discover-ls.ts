import type { DiscoverStatus } from '../core/discover-status.js';
import { formatTable } from './table.js';

/** @param body what the daemon answered to `GET /status` */
export function printStatus(body: unknown, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
    return;
  }
  const { catalog, haproxy, fault, listeners, problems } = body as DiscoverStatus;
  const lines = [`etcd: ${catalog}    haproxy: ${haproxySummary(haproxy)}`];
  for (const [name, change] of [
    ['last change', haproxy.lastChange],
    ['last reload', haproxy.lastReload],
  ] as const) {
    if (change !== null) lines.push(`${name} ${ageOf(change.at)} ago: ${change.what}`);
  }
  if (fault !== null) lines.push(`fault: ${fault}`);
  const stale = listeners.flatMap(({ endpoints }) => endpoints.filter((endpoint) => endpoint.stale)).length;
  if (stale > 0)
    lines.push(
      `stale: ${String(stale)} endpoints whose registrations expired without a withdrawal; health checks decide over them`,
    );
  process.stdout.write(`${lines.join('\n')}\n\n`);

  const rows = listeners.flatMap(({ service, port, endpoints }) =>
    endpoints.length === 0
      ? [[service, String(port), '(no endpoint)', '', '', '', '', '']]
      : endpoints.map(({ id, address, weight, status, check, sessions, stale: isStale }) => [
          service,
          String(port),
          address,
          id,
          isStale ? `${status} (stale)` : status,
          check,
          String(weight),
          String(sessions),
        ]),
  );
  if (rows.length === 0) process.stdout.write('no service is registered\n');
  else
    process.stdout.write(
      formatTable(['SERVICE', 'PORT', 'ENDPOINT', 'ID', 'STATUS', 'CHECK', 'WEIGHT', 'SESSIONS'], rows),
    );

  if (problems.length === 0) return;
  process.stdout.write('\n');
  process.stdout.write(
    formatTable(
      ['NOT SERVED', 'REASON'],
      problems.map(({ key, reason }) => [printable(key), reason]),
    ),
  );
}

function haproxySummary({ running, workerPid, reloads, runtimeChanges }: DiscoverStatus['haproxy']): string {
  if (!running) return 'not running';
  return `running, worker ${String(workerPid ?? '?')}, ${String(reloads)} reloads, ${String(runtimeChanges)} changes without a reload`;
}

/** Seconds, minutes or hours since a time, whole. */
function ageOf(at: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000));
  if (seconds < 120) return `${String(seconds)}s`;
  return seconds < 7200 ? `${String(Math.round(seconds / 60))}m` : `${String(Math.round(seconds / 3600))}h`;
}

/** A key is whatever somebody wrote to etcd, and this goes to a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
