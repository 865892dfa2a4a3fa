import { chown, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { projectDir } from '../lab/cache.js';
import { runCommand } from '../lab/command.js';
import type { EngineHost, Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { answeredBy, startWhoami } from './support/pair.js';
import { importPublishedImages } from './support/published-images.js';
import { useLab } from './support/use-lab.js';

/** That of the socket of Docker on back-end hosts. */
const socketGroup = '4242';

const currentLab = useLab();
let lab: Lab;
let dir: string;

beforeAll(async () => {
  const { client, backends } = currentLab();
  await importPublishedImages([client, ...backends]);
});
beforeEach(async () => {
  lab = currentLab();
  dir = await mkdtemp(join(tmpdir(), 'install-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A compose file of the project, as a user has it on a host: in a directory of its own, with its settings beside it. */
interface Project {
  readonly host: EngineHost;
  readonly compose: (args: string) => Promise<void>;
}

async function projectOn(
  host: EngineHost,
  file: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Project> {
  const name = file.replaceAll(/[^a-z-]/g, '');
  const cwd = join(dir, host.name, name);
  await mkdir(cwd, { recursive: true });
  await copyFile(join(projectDir, file), join(cwd, 'compose.yaml'));
  const lines = Object.entries(settings).map(([variable, value]) => `${variable}=${value}\n`);
  await writeFile(join(cwd, '.env'), lines.join(''));
  return {
    host,
    compose: async (args) => {
      await host.run(`docker-compose -f compose.yaml ${args}`, { cwd });
    },
  };
}

async function healthy(host: EngineHost, ...names: readonly string[]): Promise<void> {
  await waitFor(`${names.join(', ')} on ${host.name} to be healthy`, async (seen) => {
    const states = seen(await host.docker('inspect', '-f', '{{.State.Health.Status}}', ...names));
    return states.split('\n').every((state) => state === 'healthy');
  });
}

/** What the daemons had to complain of. */
async function complaints(host: EngineHost, name: string): Promise<readonly string[]> {
  const { stdout, stderr } = await host.run(`docker logs ${name}`);
  return `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !/"level":"(?:info|debug)"/.test(line));
}

it('compose.yaml is the whole thing on one host', async () => {
  const [host] = lab.backends;
  // As every real host has one; HOST_IP=auto goes by it.
  await host.run('ip route add default dev eth0');
  try {
    const { compose } = await projectOn(host, 'compose.yaml');
    await compose('up -d');
    const answers = async (): Promise<ReadonlySet<string>> =>
      new Set(
        (await host.run('for i in 1 2 3 4; do curl -sS --max-time 5 localhost:8000; done', { check: false })).stdout
          .trimEnd()
          .split('\n'),
      );
    await waitFor('an answer', async (seen) => /^I'm [0-9a-f]{12}$/.test([...seen(await answers())].join()));
    await compose('up -d --scale whoami=2');
    await waitFor('answers of two', async (seen) => seen(await answers()).size === 2);
    const values = await host.docker('exec', 'etcd', 'etcdctl', 'get', '--prefix', '/backends/', '--print-value-only');
    for (const value of values.split('\n')) expect(value).toMatch(new RegExp(`^${host.ip}:\\d+\\?port=8000(&|$)`));
    await healthy(host, 'etcd', 'docker-register', 'docker-discover');
    await compose('down -v');
    expect(await host.docker('ps', '-aq')).toBe('');
  } finally {
    await host.run('ip route del default dev eth0');
  }
});

it('deploy/compose runs both daemons with few rights, on three members of etcd with TLS', async () => {
  const { client, backends } = lab;
  const hosts = [client, ...backends];
  const named = hosts.map((host, at) => [host, `etcd-${String(at + 1)}`] as const);
  const made = join(dir, 'certs');
  await runCommand([
    join(projectDir, 'deploy/compose/etcd-tls/make-certificates.sh'),
    made,
    ...named.map(([host, member]) => `${member}=${host.ip}`),
  ]);
  // Each host has the CA's certificate, the client's, its member's, and no other key.
  const certs = (host: EngineHost): string => join(dir, host.name, 'certs');
  for (const [host, member] of named) {
    await mkdir(certs(host), { recursive: true });
    for (const name of ['ca.pem', 'client.pem', 'client.key', `${member}.pem`, `${member}.key`])
      await copyFile(join(made, name), join(certs(host), name));
    await chown(join(certs(host), 'client.key'), 65532, 65532);
    await host.run(`chgrp ${socketGroup} /var/run/docker.sock`);
  }

  const cluster = named.map(([host, member]) => `${member}=https://${host.ip}:2380`).join();
  const etcds = await Promise.all(
    named.map(([host, member]) =>
      projectOn(host, 'deploy/compose/etcd-tls/etcd.yaml', {
        ...{ MEMBER: member, HOST_IP: host.ip, CLUSTER: cluster, CERTS: certs(host) },
      }),
    ),
  );
  await Promise.all(etcds.map(({ compose }) => compose('up -d')));
  await waitFor('the members to agree', () => client.run('docker exec etcd etcdctl endpoint health'));

  const settings = (host: EngineHost): Record<string, string> => ({
    ...{ HOST_IP: host.ip, DOCKER_GID: socketGroup },
    ETCD_HOST: hosts.map(({ ip }) => `https://${ip}`).join(),
    CERTS: certs(host),
    ...{ ETCD_CA: '/certs/ca.pem', ETCD_CERT: '/certs/client.pem', ETCD_KEY: '/certs/client.key' },
  });
  const daemons = await Promise.all([
    ...backends.map((host) => projectOn(host, 'deploy/compose/back-end.yaml', settings(host))),
    projectOn(client, 'deploy/compose/client.yaml', settings(client)),
  ]);
  const [backend1, backend2] = backends;
  const one = await startWhoami(backend1, { options: '-p :8000' });
  const two = await startWhoami(backend2, { options: '-p :8000' });
  await Promise.all(daemons.map(({ compose }) => compose('up -d')));
  await answeredBy(lab, 8000, [one, two]);

  // A port below 1024, by a reload.
  const low = await startWhoami(backend1, { options: '-p :8000 -e SERVICE_PORT=80', image: 'low' });
  await answeredBy(lab, 80, [low]);
  await Promise.all([
    healthy(client, 'etcd', 'docker-discover'),
    ...backends.map((host) => healthy(host, 'etcd', 'docker-register')),
  ]);
  for (const [host, name] of [
    [backend1, 'docker-register'],
    [backend2, 'docker-register'],
    [client, 'docker-discover'],
  ] as const) {
    expect(await complaints(host, name)).toEqual([]);
    const rights = '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}';
    const mayGain = name === 'docker-discover';
    expect(await host.docker('inspect', '-f', rights, name)).toBe(`true [ALL] [no-new-privileges:${String(!mayGain)}]`);
    expect(await host.docker('exec', name, 'id', '-u')).toBe('65532');
    const { code } = await host.run(`docker exec ${name} touch /app/x`, { check: false });
    expect(code).not.toBe(0);
  }
  expect(await client.docker('exec', 'docker-discover', 'ls', '/var/lib/docker-discover')).toBe('last-known-good.json');

  // Two of three members are enough.
  await backend2.docker('stop', 'etcd');
  const three = await startWhoami(backend1, { options: '-p :8000' });
  await answeredBy(lab, 8000, [one, two, three]);

  for (const { compose } of [...daemons, ...etcds]) await compose('down -v');
  for (const host of hosts)
    expect(await host.docker('ps', '-aq', '--filter', 'label=com.docker.compose.project')).toBe('');
});
