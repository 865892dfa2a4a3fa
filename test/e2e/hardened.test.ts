import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineHost, Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { answeredBy, discoverReady, ls, startWhoami } from './support/pair.js';
import { useLab } from './support/use-lab.js';

const currentLab = useLab();
let lab: Lab;
let client: EngineHost;
let backend: EngineHost;

/** The group that the socket of Docker has on the back-end host. */
const socketGroup = 4242;
/** Where there is no shell: an empty file, which nobody may run, in the place of each. */
const noShell = ['dash', 'bash'].map((shell) => `-v /run/no-shell:/usr/bin/${shell}:ro`).join(' ');
const few = `--read-only --cap-drop ALL ${noShell}`;
const noNewPrivileges = '--security-opt no-new-privileges';
const forPorts = '--cap-add NET_BIND_SERVICE';

beforeEach(async () => {
  lab = currentLab();
  client = lab.client;
  [backend] = lab.backends;
  await backend.run(`chgrp ${String(socketGroup)} /var/run/docker.sock`);
  for (const host of [client, backend]) await host.run('install -m 600 /dev/null /run/no-shell');
  await privilegedPorts(1024);
});
afterEach(async () => {
  await client.run('docker ps -aq | xargs -r docker rm -f -v; docker volume prune -f');
  await privilegedPorts(1024);
});

/** Below this, a port is for those who have the right to it. */
async function privilegedPorts(below: number): Promise<void> {
  await client.run(`sysctl -qw net.ipv4.ip_unprivileged_port_start=${String(below)}`);
}

async function startRegister(): Promise<void> {
  const rights = `${few} ${noNewPrivileges} --user 65532:${String(socketGroup)} --tmpfs /run/docker-register:mode=0700,uid=65532`;
  const settings = `-e HOST_IP=${backend.ip} -e ETCD_HOST=${lab.etcd.ip} -v /var/run/docker.sock:/var/run/docker.sock`;
  await backend.run(`docker run -d --name docker-register ${rights} ${settings} docker-register`);
  await waitFor(
    'docker-register to be ready',
    async () => (await inside(backend, 'docker-register', 'healthcheck')) === '',
  );
}

async function startDiscover(rights: string): Promise<void> {
  const directories = '--tmpfs /run/docker-discover:mode=0700,uid=65532 --tmpfs /tmp';
  const settings = `-e ETCD_HOST=${lab.etcd.ip} -v docker-discover:/var/lib/docker-discover`;
  await client.run(
    `docker run -d --name docker-discover --net host ${few} ${directories} ${rights} ${settings} docker-discover`,
  );
  await discoverReady(lab);
}

/** A command of ours in the container of the same name. Rejects where it fails. */
function inside(host: EngineHost, name: 'docker-register' | 'docker-discover', ...args: string[]): Promise<string> {
  return host.docker('exec', name, name, ...args);
}

interface Process {
  readonly name: string;
  readonly uids: string;
  readonly groups: string;
  readonly capabilities: string;
  readonly mayGain: boolean;
}

/** All processes in a container, but the one that looks. */
async function processesIn(host: EngineHost, name: string): Promise<Process[]> {
  const script = `
    const fs = require('node:fs');
    const pids = fs.readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid) && Number(pid) !== process.pid);
    const all = pids.flatMap((pid) => { try { return [fs.readFileSync('/proc/' + pid + '/status', 'utf8')]; } catch { return []; } });
    process.stdout.write(JSON.stringify(all));`;
  const field = (status: string, key: string): string => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  return (JSON.parse(await host.docker('exec', name, 'node', '-e', script)) as string[]).map((status) => ({
    name: field(status, 'Name'),
    uids: field(status, 'Uid').replaceAll('\t', ' '),
    groups: field(status, 'Gid').replaceAll('\t', ' '),
    // Effective, permitted, and what a program that is run may get at most.
    capabilities: [field(status, 'CapEff'), field(status, 'CapPrm'), field(status, 'CapBnd')]
      .map((hex) => Number.parseInt(hex, 16).toString(16))
      .join(' '),
    mayGain: field(status, 'NoNewPrivs') === '0',
  }));
}

async function isRootReadOnly(host: EngineHost, name: string): Promise<boolean> {
  const mounts = await host.docker('exec', name, 'cat', '/proc/mounts');
  return /^\S+ \/ overlay ro,/m.test(mounts);
}

const nobody = '65532 65532 65532 65532';

describe('both images, read-only, without root and without a shell', () => {
  const ways = [
    {
      how: 'HAProxy may open ports below 1024 by its file',
      rights: forPorts,
      lowest: 1024,
      daemon: { capabilities: '0 0 400', mayGain: true },
      // Its workers give up by themselves to gain any.
      haproxy: { capabilities: '400 400 400', mayGain: expect.any(Boolean) as boolean },
    },
    {
      how: 'the host gives those ports to all, and nobody gains any right',
      rights: `${forPorts} ${noNewPrivileges}`,
      lowest: 80,
      daemon: { capabilities: '0 0 400', mayGain: false },
      haproxy: { capabilities: '0 0 400', mayGain: false },
    },
  ];
  it.each(ways)('serve, reload, drain, restart and answer: $how', async ({ rights, lowest, daemon, haproxy }) => {
    await privilegedPorts(lowest);
    const one = await startWhoami(backend, { options: '-p :8000' });
    await startRegister();
    await startDiscover(rights);
    await answeredBy(lab, 8000, [one]);
    const { reloads } = (await ls(lab)).haproxy;
    const low = await startWhoami(backend, { options: '-p :8000 -l SERVICE_PORT=80', image: 'low' });
    await answeredBy(lab, 80, [low]);
    await waitFor('the end of the reload', async (seen) => seen((await ls(lab)).haproxy.reloads) > reloads);
    expect((await ls(lab)).problems).toEqual([]);

    const registering = await processesIn(backend, 'docker-register');
    // Node 24 calls itself so.
    expect([...new Set(registering.map(({ name }) => name))].sort()).toEqual(['MainThread', 'tini']);
    for (const process of registering)
      expect(process).toMatchObject({
        ...{ uids: nobody, groups: nobody.replaceAll('65532', String(socketGroup)) },
        ...{ capabilities: '0 0 0', mayGain: false },
      });
    const discovering = await processesIn(client, 'docker-discover');
    expect([...new Set(discovering.map(({ name }) => name))].sort()).toEqual(['MainThread', 'haproxy', 'tini']);
    for (const { name, ...rest } of discovering)
      expect({ name, ...rest }).toEqual({
        ...{ name, uids: nobody, groups: nobody },
        ...(name === 'haproxy' ? haproxy : daemon),
      });
    for (const [host, name] of [
      [backend, 'docker-register'],
      [client, 'docker-discover'],
    ] as const) {
      expect(await isRootReadOnly(host, name)).toBe(true);
      // The kernel does not run it, and there is no other.
      expect((await host.run(`docker exec ${name} /bin/sh -c true`, { check: false })).code).toBe(126);
      expect(await inside(host, name, 'ls')).toContain(one);
      expect(await inside(host, name, 'doctor')).toMatch(/^0 failed, /m);
      await waitFor(`${name} to be healthy`, async (seen) =>
        seen((await host.docker('inspect', '-f', '{{.State.Health.Status}}', name)) === 'healthy'),
      );
    }

    const two = await startWhoami(backend, { options: '-p :8000' });
    await answeredBy(lab, 8000, [one, two]);
    await inside(backend, 'docker-register', 'drain', one);
    await answeredBy(lab, 8000, [two]);
    await inside(backend, 'docker-register', 'undrain', one);
    await answeredBy(lab, 8000, [one, two]);

    // One that hangs is found and replaced, though it has a right that the daemon has not.
    const hanging = (await ls(lab)).haproxy.workerPid;
    await client.run('pkill -STOP -x haproxy');
    await waitFor(
      'another HAProxy',
      async (seen) => {
        const { running, workerPid } = seen((await ls(lab)).haproxy);
        return running && workerPid !== null && workerPid !== hanging;
      },
      { timeoutMs: 60_000 },
    );
    await answeredBy(lab, 80, [low]);
    await answeredBy(lab, 8000, [one, two]);

    await lab.etcd.stop();
    try {
      await client.docker('restart', 'docker-discover');
      await discoverReady(lab);
      await answeredBy(lab, 80, [low]);
      expect((await ls(lab)).catalog).toBe('last known good');
    } finally {
      await lab.etcd.start();
    }
    await client.docker('stop', 'docker-discover');
    expect(await client.docker('inspect', '-f', '{{.State.ExitCode}}', 'docker-discover')).toBe('0');
  });
});

describe('docker-discover', () => {
  const start = (options: string): ReturnType<EngineHost['run']> =>
    client.run(`docker run --net host -e ETCD_HOST=${lab.etcd.ip} ${options} docker-discover`, { check: false });

  it('is not root by the command line of the README either, and needs no flag more', async () => {
    await start('-d --name docker-discover');
    await discoverReady(lab);
    for (const { uids } of await processesIn(client, 'docker-discover')) expect(uids).toBe(nobody);
    const setId = await client.docker('exec', 'docker-discover', 'find', '/usr', '/opt', '/app', '-perm', '/6000');
    expect(setId).toBe('');
    expect(await client.docker('exec', 'docker-discover', 'ls', '/usr/local/bin')).toBe('docker-discover\nnode');
  });

  it('without the right to a port below 1024 leaves that one out, and says what it lacks', async () => {
    const low = await startWhoami(backend, { options: '-p :8000 -l SERVICE_PORT=80', image: 'low' });
    const one = await startWhoami(backend, { options: '-p :8000' });
    await startRegister();
    await startDiscover(`${forPorts} ${noNewPrivileges}`);
    await answeredBy(lab, 8000, [one]);
    const reason =
      /^port 80 can not be bound by HAProxy; below 1024 it needs the capability NET_BIND_SERVICE, or a sysctl/;
    await waitFor('the reason', async (seen) =>
      seen((await ls(lab)).problems).some(({ key, reason: told }) => key === 'low:80' && reason.test(told)),
    );
    expect(low).not.toBe('');
  });

  it('goes on without a state that belongs to root, says so, and has it again when it is its own', async () => {
    const volume = '-v old:/var/lib/docker-discover';
    const asRoot = `docker run --rm --user root ${volume}`;
    const path = '/var/lib/docker-discover/last-known-good.json';
    const old = `require('node:fs').writeFileSync('${path}', '{}', { mode: 0o600 })`;
    await client.run(`${asRoot} --entrypoint node docker-discover -e "${old}"`);
    await client.run(`${asRoot} --entrypoint chown docker-discover -R root:root /var/lib/docker-discover`);
    const one = await startWhoami(backend, { options: '-p :8000' });
    await startRegister();
    await start(`-d --name docker-discover ${volume}`);
    await answeredBy(lab, 8000, [one]);
    const logs = async (): Promise<string> => {
      const { stdout, stderr } = await client.run('docker logs docker-discover');
      return stdout + stderr;
    };
    const mend = 'give it to that user (chown -R 65532), or run as its owner';
    await waitFor('both complaints', async (seen) => {
      const text = seen(await logs());
      return ['read', 'written'].every((what) => text.includes(`${path} can't be ${what}: user 65532 may not`));
    });
    expect(await logs()).toContain(mend);
    await client.run(`${asRoot} --entrypoint chown docker-discover -R 65532 /var/lib/docker-discover`);
    await waitFor('the state', async (seen) =>
      seen(await client.docker('exec', 'docker-discover', 'cat', path)).includes(one),
    );
  });

  it.each([
    [
      '--tmpfs /run/docker-discover:mode=0700',
      1,
      /^docker-discover: .*\/run\/docker-discover\/\S+ can't be (made|written): user 65532 may not write there; give it to that user/m,
    ],
    ['--cap-drop ALL', 2, /^docker-discover: HAPROXY "haproxy" .*--cap-add NET_BIND_SERVICE/m],
  ])('ends with one clear error: %s', async (options, exitCode, message) => {
    const { code, stdout, stderr } = await start(`--rm ${options}`);
    expect(stdout + stderr).toMatch(message);
    expect(code).toBe(exitCode);
  });
});
