import type { DiscoverStatus } from '../core/discover-status.js';
import { formatTable } from './table.js';

/** @param body what the daemon answered to `GET /status` */
export function printStatus(body: unknown, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
    return;
  }
  const { catalog, haproxy, lastReload, fault, listeners, problems } = body as DiscoverStatus;
  const proxy = haproxy.running
    ? `running, worker ${String(haproxy.workerPid ?? '?')}, ${String(haproxy.reloads)} reloads`
    : 'not running';
  const last = lastReload === null ? '' : `, last at ${lastReload.at}: ${lastReload.reason}`;
  const lines = [`etcd: ${catalog}    haproxy: ${proxy}${last}`];
  if (fault !== null) lines.push(`fault: ${fault}`);
  process.stdout.write(`${lines.join('\n')}\n\n`);

  const rows = listeners.flatMap(({ service, port, endpoints }) =>
    endpoints.length === 0
      ? [[service, String(port), '(no endpoint)', '', '', '', '', '']]
      : endpoints.map(({ id, address, weight, status, check, sessions }) => [
          service,
          String(port),
          address,
          id,
          status,
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

/** A key is whatever somebody wrote to etcd, and this goes to a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
