import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withoutTime } from '../../../src/core/keyspace.js';
import type { HeldEntry, WatchEvent } from '../../../src/ports/registry.js';
import type { EngineHost } from '../../lab/lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { startDaemon, type Daemon } from './daemon.js';
import type { TestEtcd } from './etcd.js';

/** What happened to the keys, in order, since the watch began. */
export interface KeyWatch {
  /** `whoami/0123456789ab 198.18.0.20:8000?port=8000`, or `whoami/0123456789ab gone`. */
  readonly changes: readonly string[];
  /** Of one container: its values, or `gone`. */
  of(id: string): string[];
  stop(): Promise<void>;
}

/** Keys of `/backends`, without the prefix, and their values, without their times. */
export async function standing(etcd: TestEtcd): Promise<Record<string, string>> {
  const entries = await entriesOf(etcd);
  return Object.fromEntries(entries.map(({ key, value }) => [key.replace('/backends/', ''), withoutTime(value)]));
}

export async function entriesOf(etcd: TestEtcd): Promise<readonly HeldEntry[]> {
  return (await etcd.registry.list(AbortSignal.timeout(10_000))).entries;
}

export async function watchKeys(etcd: TestEtcd): Promise<KeyWatch> {
  const controller = new AbortController();
  const changes: string[] = [];
  const { revision } = await etcd.registry.list(controller.signal);
  const lineOf = (event: WatchEvent): string =>
    event.kind === 'put' ? `${event.entry.key} ${withoutTime(event.entry.value)}` : `${event.key} gone`;
  const ended = etcd.registry.watch(
    revision,
    (events) => {
      for (const event of events) changes.push(lineOf(event).replace('/backends/', ''));
    },
    controller.signal,
  );
  return {
    changes,
    of: (id) =>
      changes.filter((change) => change.includes(`/${id}`)).map((change) => change.slice(change.indexOf(' ') + 1)),
    stop: async () => {
      controller.abort();
      await ended;
    },
  };
}

const shownLines = 80;

/** docker-registers of one test, which all end with it. */
export interface Registers {
  /** Starts one for a host, and waits until it has a lease. */
  start(host: EngineHost, env?: Readonly<Record<string, string>>): Promise<Daemon>;
  /** What they said at last; for a test that failed. */
  output(): string;
  /** SIGTERM to all. */
  stop(): Promise<void>;
}

export function createRegisters(etcd: TestEtcd): Registers {
  const running: { readonly daemon: Daemon; readonly dir: string }[] = [];
  return {
    async start(host, env = {}) {
      const dir = await mkdtemp(join(tmpdir(), 'reg-'));
      const daemon = startDaemon('docker-register', [], {
        HOST_IP: host.ip,
        ETCD_HOST: etcd.host,
        DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
        RUN_DIR: dir,
        LOG_LEVEL: 'debug',
        TTL: '5s',
        ...env,
      });
      running.push({ daemon, dir });
      await waitFor('docker-register to be ready', () => daemon.output().includes('lease granted'));
      return daemon;
    },

    output: () => running.map(({ daemon }) => daemon.output().split('\n').slice(-shownLines).join('\n')).join('\n--\n'),

    async stop() {
      for (const { daemon, dir } of running.splice(0)) {
        daemon.signal('SIGTERM');
        await daemon.ended;
        await rm(dir, { recursive: true, force: true });
      }
    },
  };
}
