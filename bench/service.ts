import { fileURLToPath } from 'node:url';
import { ensureImages } from '../test/lab/images.js';
import type { EngineHost } from '../test/lab/lab.js';

const folder = fileURLToPath(new URL('service', import.meta.url));

/** Makes the image of a fast service (bench/service/haproxy.cfg) under these names on these hosts. */
export async function loadService(hosts: readonly EngineHost[], names: readonly string[]): Promise<void> {
  const { dir } = await ensureImages(console.log);
  const changes = [
    'ENTRYPOINT ["/lib/loader", "--library-path", "/lib", "/lib/haproxy", "-db", "-f", "/haproxy.cfg"]',
    'ENV PORT=8000',
  ];
  const flags = changes.map((change) => `--change '${change}'`).join(' ');
  const make = `set -o pipefail; tar -C ${dir}/haproxy -c lib -C ${folder} haproxy.cfg | docker import ${flags} - service`;
  await Promise.all(
    hosts.map((host) => host.run([make, ...names.map((name) => `docker tag service ${name}`)].join(' && '))),
  );
}

export interface ServiceSpec {
  /** Name of its image, and so of the service. */
  readonly name: string;
  /** The port on which it listens, and on which clients reach it. */
  readonly port: number;
  /** The host port, if not any that is free. */
  readonly hostPort?: number;
}

/** Starts one container of a service; returns the first 12 digits of its id, with which it answers. */
export async function startService(host: EngineHost, { name, port, hostPort }: ServiceSpec): Promise<string> {
  const publish = `--expose ${String(port)} -p ${String(hostPort ?? '')}:${String(port)}`;
  const { stdout } = await host.run(`docker run -d --stop-signal SIGUSR1 -e PORT=${String(port)} ${publish} ${name}`);
  return stdout.trim().slice(0, 12);
}

/** One that answers on many ports of its host; docker-register has no part in it. */
export async function startRange(host: EngineHost, { first, count }: { first: number; count: number }): Promise<void> {
  await host.run(`docker run -d --net host -e PORT=${String(first)}-${String(first + count - 1)} service`);
}

/** The host port of a container's port. */
export async function hostPortOf(host: EngineHost, id: string, port: number): Promise<number> {
  const [first = ''] = (await host.docker('port', id, `${String(port)}/tcp`)).split('\n');
  return Number(first.slice(first.lastIndexOf(':') + 1));
}
