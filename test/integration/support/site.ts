import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { askReady, askStatus } from '../../../src/adapters/control/client.js';
import { ask } from '../../../src/adapters/haproxy/socket.js';
import type { DiscoverStatus } from '../../../src/core/discover-status.js';
import { waitFor } from '../../lab/wait-for.js';
import { runDaemon, startDaemon, type Daemon } from './daemon.js';
import type { TestEtcd } from './etcd.js';
import { freePorts } from './free-ports.js';

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

interface Process {
  readonly pid: number;
  readonly isMaster: boolean;
}

/** A docker-discover with ports, directories and keys of its own, so that several can be tried side by side. */
export interface Site {
  readonly dir: string;
  readonly runDir: string;
  /** Of the service that the test is about, of others, and of the stats page. */
  readonly port: number;
  readonly otherPort: number;
  readonly thirdPort: number;
  readonly statsPort: number;
  start(more?: Record<string, string>): Daemon;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): void;
  hangUp(): void;
  /** A command with the same settings that goes on until it is ended. */
  follow(...args: string[]): Daemon;
  /** A command with the same settings, to its end; with none, another daemon. */
  run(...args: string[]): Promise<Ended>;
  output(): string;
  /** Lines of the log with this message. */
  told(message: string): number;
  put(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** What the daemon says of itself. */
  ls(): Promise<DiscoverStatus>;
  /** The same, as `docker-discover ls --json` prints it. */
  lsJson(): Promise<DiscoverStatus>;
  /** Asks the runtime API. */
  ask(line: string): Promise<string>;
  /** What the back end behind the port says; nothing where there is none. */
  get(port: number): Promise<string>;
  /**
   * Waits until the reload that brought a listener is over, with the worker of before: a worker serves, and is told of by no
   * count, before its reload is over.
   */
  reloadEnded(listener: string): Promise<void>;
  /** Waits until HAProxy has taken its first catalog of etcd, and no reload to that end is under way; later changes it does not wait for. */
  ready(): Promise<void>;
  /** Waits until the port is answered by exactly these back ends. */
  answers(port: number, ...names: string[]): Promise<void>;
  /** Masters and workers of its run directory that live. */
  processes(): Promise<Process[]>;
  master(): Promise<number>;
  worker(): Promise<number>;
  dispose(): Promise<void>;
}

export interface SiteOptions {
  readonly etcd: TestEtcd;
  readonly binary: string;
  /** Four free ones; whoever has several sites at a time takes care that they are different. */
  readonly ports?: readonly number[];
  /** One of its own, if not given. */
  readonly prefix?: string;
  /** Settings beside, or instead of, those of every site. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long `answers` waits. */
  readonly answersWithinMs?: number;
}

export async function createSite({ etcd, binary, ...given }: SiteOptions): Promise<Site> {
  const [port = 0, otherPort = 0, thirdPort = 0, statsPort = 0] = given.ports ?? (await freePorts(4));
  const prefix = given.prefix ?? `/site-${String(port)}`;
  // Of an earlier test, which may even have had the same port.
  await etcd.client.delete().prefix(`${prefix}/`);
  const dir = await mkdtemp(join(tmpdir(), 'site-'));
  const runDir = join(dir, 'run');
  const controlSocket = join(runDir, 'control.sock');
  const env = {
    ETCD_HOST: etcd.host,
    PREFIX: prefix,
    HAPROXY: binary,
    RUN_DIR: runDir,
    STATE_DIR: join(dir, 'state'),
    BIND: '127.0.0.1',
    // The back ends are on loopback; the others are as without a setting.
    NETWORKS: '127.0.0.0/8,0.0.0.0/0,::/0',
    STATS_BIND: `127.0.0.1:${String(statsPort)}`,
    POLL: '500ms',
    STOP_TIMEOUT: '1s',
    ...given.env,
  };
  let daemon: Daemon | null = null;

  const get = async (at: number): Promise<string> => {
    try {
      const response = await fetch(`http://127.0.0.1:${String(at)}/`, { signal: AbortSignal.timeout(2_000) });
      return await response.text();
    } catch {
      return '';
    }
  };

  const run = (...args: string[]): Promise<Ended> => runDaemon('docker-discover', args, env);

  const processes = async (): Promise<Process[]> => {
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,ppid,args']);
    const rows = stdout
      .split('\n')
      .filter((line) => line.includes(`-f ${join(runDir, 'haproxy.cfg')}`) && line.includes(' -S '))
      .map((line) => line.trim().split(/\s+/).map(Number));
    const pids = new Set(rows.map(([pid = 0]) => pid));
    return rows.map(([pid = 0, parent = 0]) => ({ pid, isMaster: !pids.has(parent) }));
  };

  const only = async (isMaster: boolean): Promise<number> => {
    const those = (await processes()).filter((one) => one.isMaster === isMaster);
    expect(those).toHaveLength(1);
    return those[0]?.pid ?? 0;
  };

  const stop = async (): Promise<number | null> => {
    daemon?.signal('SIGTERM');
    return (await daemon?.ended) ?? null;
  };

  return {
    dir,
    runDir,
    port,
    otherPort,
    thirdPort,
    statsPort,
    start(more = {}) {
      daemon = startDaemon('docker-discover', [], { ...env, ...more });
      return daemon;
    },
    stop,
    kill: () => daemon?.signal('SIGKILL'),
    hangUp: () => daemon?.signal('SIGHUP'),
    follow: (...args) => startDaemon('docker-discover', args, env),
    run,
    output: () => daemon?.output() ?? '',
    told: (message) => (daemon?.output() ?? '').split(`"msg":${JSON.stringify(message)}`).length - 1,
    async put(key, value) {
      await etcd.client.put(`${prefix}/${key}`).value(value);
    },
    async remove(key) {
      await etcd.client.delete().key(`${prefix}/${key}`);
    },
    async ls() {
      return (await askStatus(controlSocket)) as DiscoverStatus;
    },
    async lsJson() {
      const { code, output } = await run('ls', '--json');
      expect(code, output).toBe(0);
      return JSON.parse(output) as DiscoverStatus;
    },
    ask: (line) => ask(join(runDir, 'haproxy.sock'), line, AbortSignal.timeout(10_000)),
    get,
    async reloadEnded(listener) {
      await waitFor('the end of the reload', (seen) =>
        seen(daemon?.output() ?? '').includes(`"reason":"listen ${listener} added","tookMs"`),
      );
      await waitFor('the old worker to end', async (seen) => seen(await processes()).length === 2);
    },
    async ready() {
      await waitFor('it to be ready', async (seen) => seen(await askReady(controlSocket)).isReady);
    },
    async answers(at, ...names) {
      await waitFor(
        `port ${String(at)} to be answered by ${names.join(' and ')}`,
        async (seen) => {
          const got = new Set<string>();
          for (let n = 0; n < 4; n += 1) got.add(await get(at));
          return seen([...got].sort().join()) === names.join();
        },
        { timeoutMs: given.answersWithinMs ?? 60_000 },
      );
    },
    processes,
    master: () => only(true),
    worker: () => only(false),
    async dispose() {
      await stop();
      // Where the test failed, a HAProxy may be left that nobody would end.
      for (const { pid } of await processes()) killIfAlive(pid);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
