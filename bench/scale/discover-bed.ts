import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../../src/adapters/haproxy/socket.js';
import type { TestEtcd } from '../../test/integration/support/etcd.js';
import { freePorts } from '../../test/integration/support/free-ports.js';
import { waitFor } from '../../test/lab/wait-for.js';
import { pidsOf, startBuilt, type MeasuredDaemon } from './process.js';

const perService = 10;
/** Below the ports of connections, above those of most that runs on a machine. */
export const firstPort = 20_000;

/** What is there before docker-discover. */
export interface Bed {
  readonly binary: string;
  readonly etcd: TestEtcd;
  readonly backEndPort: number;
}

/** A docker-discover that serves. */
export interface Running {
  readonly daemon: MeasuredDaemon;
  readonly pid: number;
  readonly coldMs: number;
  /** HAProxy's processes. */
  readonly proxies: () => number[];
  /** Resolves when a line of the log has this word in it that comes from now on. */
  readonly told: (word: string) => Promise<number>;
  readonly ask: (line: string) => Promise<string>;
}

export function keyAt(n: number): string {
  return `/backends/service-${String(Math.floor(n / perService))}/${n.toString(16).padStart(12, '0')}`;
}

/** @param host numbers of addresses from 127.1.0.0 on */
export function valueAt({ backEndPort }: Bed, n: number, host: number): string {
  const ip = `127.${String(1 + (host >> 16))}.${String((host >> 8) & 255)}.${String(host & 255)}`;
  return `${ip}:${String(backEndPort)}?port=${String(firstPort + Math.floor(n / perService))}`;
}

export async function put(
  { etcd }: Bed,
  puts: readonly { readonly key: string; readonly value: string }[],
): Promise<void> {
  await etcd.registry.apply({ puts, deletes: [] }, '0', AbortSignal.timeout(60_000));
}

export async function fill(bed: Bed, count: number): Promise<void> {
  await bed.etcd.client.delete().prefix('/backends/');
  await put(
    bed,
    Array.from({ length: count }, (_, n) => ({ key: keyAt(n), value: valueAt(bed, n, n + 1) })),
  );
}

export async function withDaemon<T>(bed: Bed, endpoints: number, use: (running: Running) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'scale-'));
  const [statsPort = 0] = await freePorts(1);
  const startedAt = performance.now();
  const daemon = startBuilt('docker-discover', {
    ETCD_HOST: bed.etcd.host,
    HAPROXY: bed.binary,
    RUN_DIR: join(dir, 'run'),
    STATE_DIR: join(dir, 'state'),
    BIND: '127.0.0.1',
    NETWORKS: '127.0.0.0/8',
    STATS_BIND: `127.0.0.1:${String(statsPort)}`,
    METRICS_BIND: 'none',
    RELOAD_INTERVAL: '0s',
    STOP_TIMEOUT: '0s',
    // What it costs where the limits let it.
    ...Object.fromEntries(
      ['KEYS', 'KEYS_PER_LEASE', 'SERVICES', 'ENDPOINTS', 'LISTENERS'].map((name) => [`MAX_${name}`, '1000000']),
    ),
  });
  const waiting: { word: string; resolve: (at: number) => void }[] = [];
  daemon.onLine((line) => {
    const at = performance.now();
    for (const one of [...waiting]) {
      if (!line.includes(one.word)) continue;
      waiting.splice(waiting.indexOf(one), 1);
      one.resolve(at);
    }
  });
  try {
    const services = Math.ceil(endpoints / perService);
    await waitFor(
      `${String(services)} listeners to answer`,
      async () => {
        // The last first: while it does not, asking the others would only take time from who is to open them.
        for (let at = services - 1; at >= 0; at -= 1) await requestTo(firstPort + at);
        return true;
      },
      { timeoutMs: 60_000, intervalMs: 5 },
    ).catch((error: unknown) => {
      throw new Error(`docker-discover did not serve:\n${daemon.tail()}`, { cause: error });
    });
    const coldMs = performance.now() - startedAt;
    const line = (text: string): Promise<string> =>
      ask(join(dir, 'run', 'haproxy.sock'), text, AbortSignal.timeout(10_000));
    const servers = (await line('show servers state')).split('\n').filter((row) => /^\d+ service-/.test(row)).length;
    if (servers !== endpoints) throw new Error(`HAProxy has ${String(servers)} servers, not ${String(endpoints)}`);
    return await use({
      daemon,
      pid: daemon.pid,
      coldMs,
      proxies: () => pidsOf('haproxy', join(dir, 'run')),
      told: (word) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => {
            reject(new Error(`docker-discover did not tell of ${word}:\n${daemon.tail()}`));
          }, 30_000);
          const found = (at: number): void => {
            clearTimeout(timer);
            resolve(at);
          };
          waiting.push({ word, resolve: found });
        }),
      ask: line,
    });
  } finally {
    await daemon.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** One request over a connection of its own. */
export function requestTo(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.setTimeout(2_000, () => socket.destroy(new Error(`port ${String(port)} is silent`)));
    socket.once('data', (data) => {
      socket.destroy();
      if (data.toString().startsWith('HTTP/1.1 200')) resolve();
      else reject(new Error(data.toString()));
    });
    socket.once('error', reject);
    socket.once('end', () => {
      reject(new Error(`port ${String(port)} has no back end`));
    });
  });
}
