import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../src/adapters/haproxy/socket.js';
import { readTemplates } from '../../src/cli/template-files.js';
import type { CheckPace } from '../../src/core/haproxy/check-pace.js';
import { withKinds } from '../../src/core/haproxy/check-kind.js';
import type { Listener, Server } from '../../src/core/haproxy/listener.js';
import { render } from '../../src/core/haproxy/render.js';
import { undisturbed, viewOf } from '../../src/core/haproxy/view.js';
import { freePorts } from '../../test/integration/support/free-ports.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { listenerWith, modelWith, serverWith } from '../../test/unit/support/models.js';
import { proxySettingsWith } from '../../test/unit/support/settings.js';
import type { CheckedEndpoint } from './checked-endpoint.js';
import { useOf } from './process.js';

export const windowMs = 6_000;

/** `docker`: an HTTP service whose endpoints Docker's HEALTHCHECK looks after. */
export type Kind = 'tcp' | 'http' | 'docker';

/** `--interval=5s --timeout=3s`. */
const healthcheckMs = 24_000;

/** The service that is checked, with so many endpoints. */
export function listenerOf(kind: Kind, servers: readonly Server[], port = 80): Listener {
  const own = servers.map((server) => ({ ...server, healthcheckMs: kind === 'docker' ? healthcheckMs : null }));
  return listenerWith({ service: 'checked', port, check: kind === 'tcp' ? null : '/', servers: own });
}

/** How often, and over what, it is checked at this pace. */
export function kindAt(kind: Kind, pace: CheckPace): 'tcp' | 'http' {
  return kind === 'tcp' || pace.byDocker.size > 0 ? 'tcp' : 'http';
}

export interface Measured {
  readonly perSecond: number;
  /** Of them, that the endpoint was asked to accept. */
  readonly heardPerSecond: number;
  /** Of the endpoint and of HAProxy, % of a core. */
  readonly endpointCpu: number;
  readonly haproxyCpu: number;
  /** Of the checks, so many failed: there were more than it could answer. */
  readonly failed: number;
}

/** A HAProxy with so many servers at one endpoint, all of them well. */
export async function checked({
  binary,
  endpoint,
  size,
  kind,
  pace,
}: {
  readonly binary: string;
  readonly endpoint: CheckedEndpoint;
  readonly size: number;
  readonly kind: Kind;
  readonly pace: CheckPace;
}): Promise<Measured> {
  const dir = await mkdtemp(join(tmpdir(), 'scale-'));
  const [port = 0] = await freePorts(1);
  const file = join(dir, 'haproxy.cfg');
  const [runtimeSocket, serverStateFile] = [join(dir, 'haproxy.sock'), join(dir, 'server-state')];
  await writeFile(file, await configurationOf({ port, runtimeSocket, serverStateFile, endpoint, size, kind, pace }));
  await writeFile(serverStateFile, stateOf({ port, endpoint, size }));
  const child = spawn(binary, ['-db', '-f', file], { stdio: 'ignore' });
  const ended = once(child, 'close');
  try {
    const failures = async (): Promise<number> =>
      failedChecks(await ask(runtimeSocket, 'show stat 2 4 -1', AbortSignal.timeout(30_000)));
    await waitFor('HAProxy', () => failures().then(() => true), { timeoutMs: 30_000, intervalMs: 100 });
    const look = async (): Promise<{
      at: number;
      connections: number;
      endpoint: number;
      haproxy: number;
      failed: number;
    }> => {
      const { connections, cpuMs } = await endpoint.used();
      const at = performance.now();
      return { at, connections, endpoint: cpuMs, haproxy: useOf(child.pid ?? 0).cpuMs, failed: await failures() };
    };
    const from = await look();
    await sleep(windowMs);
    const to = await look();
    const tookMs = to.at - from.at;
    const connections = to.connections - from.connections;
    return {
      // Those of layer 4 are broken off before the endpoint hears of them.
      perSecond: kindAt(kind, pace) === 'tcp' ? (1000 * size) / pace.tcpMs : (1000 * connections) / tookMs,
      heardPerSecond: (1000 * connections) / tookMs,
      endpointCpu: (100 * (to.endpoint - from.endpoint)) / tookMs,
      haproxyCpu: (100 * (to.haproxy - from.haproxy)) / tookMs,
      failed: Math.min(1, (to.failed - from.failed) / Math.max(1, connections)),
    };
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true });
  }
}

interface Checked {
  readonly port: number;
  readonly endpoint: CheckedEndpoint;
  readonly size: number;
}

/** All of 127.0.0.0/8 is this machine. */
function serversOf({ endpoint, size }: Pick<Checked, 'endpoint' | 'size'>): readonly Server[] {
  return Array.from({ length: size }, (_, n) =>
    serverWith({ name: `n${String(n)}`, host: `127.1.${String(n >> 8)}.${String(n & 255)}`, port: endpoint.port }),
  );
}

/** As `show servers state` tells of servers that are all well: HAProxy begins with all checks in a moment otherwise. */
function stateOf({ port, ...checked }: Checked): string {
  const head =
    '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';
  const rows = serversOf(checked).map(
    ({ name, host, port: at }, n) =>
      `2 checked:${String(port)} ${String(n + 1)} ${name} ${host} 2 0 1 1 60 6 3 3 6 0 0 0 - ${String(at)} - 0 0 - - 0`,
  );
  return ['1', head, ...rows, ''].join('\n');
}

async function configurationOf({
  port,
  runtimeSocket,
  serverStateFile,
  endpoint,
  size,
  kind,
  pace,
}: Checked & {
  readonly runtimeSocket: string;
  readonly serverStateFile: string;
  readonly kind: Kind;
  readonly pace: CheckPace;
}): Promise<string> {
  const servers = serversOf({ endpoint, size });
  const listener = listenerOf(kind, servers, port);
  const settings = proxySettingsWith({ bind: ['127.0.0.1'], runtimeSocket, serverStateFile });
  const named = withKinds(pace, new Set(pace.byDocker.size > 0 ? [listener.name] : []));
  const view = viewOf(modelWith(listener), settings, { ...undisturbed, barred: new Set(['stats page']), pace: named });
  const text = render(await readTemplates(undefined), view);
  if (!text.ok) throw new Error(text.reason);
  // Client hosts of a fleet did not all start a moment ago.
  return text.value.replace(/^ *max-spread-checks .*\n/m, '');
}

/** Of all servers together. */
function failedChecks(table: string): number {
  const [head = '', ...rows] = table.trim().split('\n');
  const at = head.split(',').indexOf('chkfail');
  if (at === -1) throw new Error(`HAProxy tells no failed checks: ${head}`);
  return rows.reduce((sum, row) => sum + Number(row.split(',')[at] ?? 0), 0);
}
