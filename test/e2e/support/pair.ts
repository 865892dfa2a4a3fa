import { waitFor } from '../../lab/wait-for.js';
import type { EngineHost, Lab } from '../../lab/lab.js';
import type { DiscoverStatus } from '../../../src/core/discover-status.js';

/** Starts docker-register with the README's command line, and waits until it has registered what runs. */
export async function startRegister(lab: Lab, host: EngineHost, settings = ''): Promise<void> {
  const env = `-e HOST_IP=${host.ip} -e ETCD_HOST=${lab.etcd.ip} ${settings}`;
  await host.run(
    `docker run -d --name docker-register ${env} -v /var/run/docker.sock:/var/run/docker.sock docker-register`,
  );
  await waitFor(
    `docker-register on ${host.name} to be ready`,
    async () =>
      (await host.run('docker exec docker-register docker-register healthcheck', { check: false })).code === 0,
  );
}

/** Starts docker-discover with the README's command line, and waits until it is ready. */
export async function startDiscover(lab: Lab, settings = ''): Promise<void> {
  await runDiscover(lab, settings);
  await discoverReady(lab);
}

/** The same, and does not wait. */
export async function runDiscover({ client, etcd }: Lab, settings = ''): Promise<void> {
  await client.run(
    `docker run -d --name docker-discover --net host -e ETCD_HOST=${etcd.ip} ${settings} docker-discover`,
  );
}

export async function discoverReady({ client }: Lab): Promise<void> {
  await waitFor(
    'docker-discover to be ready',
    async () =>
      (await client.run('docker exec docker-discover docker-discover healthcheck', { check: false })).code === 0,
  );
}

export interface Whoami {
  /** Options of `docker run`, such as `-p 8000:8000`. */
  readonly options: string;
  /** Another name for its image, and with it for its service. */
  readonly image?: string;
  /** The port on which it listens, if not 8000. */
  readonly port?: number;
}

/** Starts a whoami; returns the first 12 digits of its id, with which it answers. */
export async function startWhoami(
  host: EngineHost,
  { options, image = 'whoami', port = 8000 }: Whoami,
): Promise<string> {
  await host.run(`docker tag whoami ${image}`);
  const command = `/bin/busybox sh -c '/bin/busybox sed s/8000/${String(port)}/ /bin/serve >/s; . /s'`;
  return (await host.run(`docker run -d ${options} ${image} ${port === 8000 ? '' : command}`)).stdout
    .trim()
    .slice(0, 12);
}

/** What the client host gets at a port of its own: the ids that answer `count` requests, in order; '' for one that fails. */
export async function answers({ client }: Lab, port: number, count: number): Promise<string[]> {
  const { stdout } = await client.run(
    `for i in $(seq ${String(count)}); do curl -sS --max-time 5 ${client.ip}:${String(port)} 2>/dev/null || echo; done`,
  );
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => /^I'm ([0-9a-f]{12})$/.exec(line)?.[1] ?? '');
}

/** Waits until requests are answered by all of `ids`, and by nobody else. */
export async function answeredBy(lab: Lab, port: number, ids: readonly string[]): Promise<void> {
  const expected = [...ids].sort().join();
  await waitFor(`port ${String(port)} to be answered by ${expected}`, async (seen) => {
    const got = seen(await answers(lab, port, Math.max(4, 2 * ids.length)));
    return [...new Set(got)].sort().join() === expected;
  });
}

export async function keys({ etcd }: Lab): Promise<string[]> {
  const { stdout } = await etcd.run('etcdctl get --prefix --keys-only /backends/');
  return stdout.split('\n').filter((line) => line !== '');
}

export async function ls({ client }: Lab): Promise<DiscoverStatus> {
  return JSON.parse(
    (await client.run('docker exec docker-discover docker-discover ls --json')).stdout,
  ) as DiscoverStatus;
}
