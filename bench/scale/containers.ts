import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineHost } from '../../test/lab/lab.js';
import { startGeneratedEngine } from './engine.js';

/** What runs on a host, all with one published port, and the Docker that tells of it. */
export interface Containers {
  readonly hostIp: string;
  readonly socketPath: string;
  readonly ids: () => string[];
  /** One goes, and another comes: its id. */
  readonly replace: (id: string) => Promise<string>;
  close(): Promise<void>;
}

export async function generated(count: number): Promise<Containers> {
  const dir = await mkdtemp(join(tmpdir(), 'scale-'));
  const socketPath = join(dir, 'docker.sock');
  const engine = await startGeneratedEngine(socketPath, count);
  return {
    hostIp: '198.18.0.20',
    socketPath,
    ids: () => engine.ids(),
    replace(id) {
      engine.die(id);
      return Promise.resolve(engine.start());
    },
    async close() {
      await engine.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export async function real(host: EngineHost, count: number): Promise<Containers> {
  const { stdout } = await host.run(`for i in $(seq ${String(count)}); do docker run -d -p :8000 whoami; done`, {
    timeoutMs: 300_000,
  });
  return {
    hostIp: host.ip,
    socketPath: `${host.root}/run/docker.sock`,
    ids: () => stdout.trim().split('\n'),
    async replace(id) {
      const { stdout: came } = await host.run(`docker kill ${id} >/dev/null; docker run -d -p :8000 whoami`);
      return came.trim();
    },
    async close() {
      await host.run('docker ps -aq | xargs -r docker rm -f -v', { timeoutMs: 300_000 });
    },
  };
}
