import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { haproxyPath } from '../lab/haproxy.js';
import { startLab, type EngineHost, type Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { authority, type Authority, type SelfSigned } from './support/certificate.js';
import { runDaemon } from './support/daemon.js';
import { startEngineProxy } from './support/engine-proxy.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { freePorts } from './support/free-ports.js';
import { createRegisters, standing, type Registers } from './support/registering.js';

let binary: string;
let lab: Lab;
let host: EngineHost;
let etcd: TestEtcd;
let registers: Registers;
let dir: string;
let engineSocket: string;
let proxy: ChildProcess | null;

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  etcd = await startEtcd();
  lab = await startLab({ log: console.log });
  host = lab.backends[0];
  engineSocket = `${host.root}/run/docker.sock`;
}, 900_000);
afterAll(async () => {
  await lab.stop();
  await etcd.dispose();
});

beforeEach(async () => {
  await etcd.client.delete().prefix('/backends');
  dir = await mkdtemp(join(tmpdir(), 'access-'));
  registers = createRegisters(etcd);
  proxy = null;
});
afterEach(async () => {
  await registers.stop();
  await stopProxy();
  await host.run('docker ps -aq | xargs -r docker rm -f -v');
  await rm(dir, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<string> {
  return (await host.docker('run', '-d', ...args, 'whoami')).slice(0, 12);
}

async function keysAre(what: string, ...ids: readonly string[]): Promise<void> {
  await waitFor(what, async (seen) => {
    const keys = Object.keys(seen(await standing(etcd))).map((key) => key.replace('whoami/', ''));
    return keys.sort().join() === [...ids].sort().join();
  });
}

/** A command of docker-register with the settings of the daemon on the lab's host. */
function command(env: Readonly<Record<string, string>>, ...args: string[]): ReturnType<typeof runDaemon> {
  return runDaemon('docker-register', args, { HOST_IP: host.ip, ETCD_HOST: etcd.host, RUN_DIR: dir, ...env });
}

/** The proxy of docs/security.md, before the engine of the lab, with another bind. */
async function startProxy(bind: string): Promise<void> {
  const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const [, documented = ''] = /```haproxy\n(global\n.*?)```/s.exec(page) ?? [];
  const text = documented.replace(/bind .*/, bind).replace('/var/run/docker.sock', engineSocket);
  expect(text).toContain(`  ${bind}\n`);
  expect(text).toContain(`unix@${engineSocket}\n`);
  await writeFile(join(dir, 'proxy.cfg'), text);
  const child = spawn(binary, ['-db', '-f', join(dir, 'proxy.cfg')], { stdio: ['ignore', 'ignore', 'pipe'] });
  proxy = child;
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  await waitFor('HAProxy to listen', () => {
    expect(child.exitCode, said).toBeNull();
    return child.pid === undefined ? false : isListening(child.pid);
  });
}

async function stopProxy(): Promise<void> {
  if (proxy === null || proxy.exitCode !== null) return;
  const ended = once(proxy, 'exit');
  proxy.kill('SIGKILL');
  await ended;
}

/** Whether one of its sockets takes connections; those of Unix and of TCP are told of in different files. */
async function isListening(pid: number): Promise<boolean> {
  const [unix, tcp] = await Promise.all([
    readFile(`/proc/${String(pid)}/net/unix`, 'utf8'),
    readFile(`/proc/${String(pid)}/net/tcp`, 'utf8'),
  ]);
  return (
    unix.includes(`${dir}/docker.sock`) ||
    tcp.includes(`:${proxyPort.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`)
  );
}
let proxyPort = 0;

describe('before Docker’s socket', () => {
  const allowed = /^(?:GET|HEAD) \/(?:_ping|version|events|containers\/json|containers\/[\w.-]+\/json)$/;

  it('every call that docker-register and its commands make is one that reads containers', async () => {
    const recorder = await startEngineProxy(engineSocket, join(dir, 'docker.sock'));
    const env = { DOCKER_HOST: recorder.url };
    try {
      const before = await run('-p', '8000:8000', '--name', 'before');
      await registers.start(host, { ...env, RESYNC: '1s', RUN_DIR: dir });
      await keysAre('what ran before', before);
      const later = await run('-p', '8001:8000');
      await keysAre('what came later', before, later);
      await host.docker('pause', later);
      await keysAre('the pause', before);
      await host.docker('unpause', later);
      await keysAre('its end', before, later);
      await host.docker('stop', '-t', '1', later);
      await keysAre('the stop', before);
      const streams = recorder.streams();
      recorder.cutEvents();
      await waitFor('the next stream', (seen) => seen(recorder.streams()) > streams);
      for (const [args, said] of [
        [['ls'], before],
        [['ls', '--json'], before],
        [['explain', 'before'], `/backends/whoami/${before}`],
        [['explain', 'nobody'], 'there is no container'],
        [['doctor'], 'Docker events'],
        [['healthcheck'], ''],
        [['put', 'db', '198.18.0.9:5432'], ''],
        [['drain', '198.18.0.9'], ''],
        [['undrain', '198.18.0.9'], ''],
        [['public-key'], 'SIGNING_KEY_FILE is not set'],
      ] as const)
        expect((await command(env, ...args)).output).toContain(said);
      await registers.stop();
      await etcd.client.delete().prefix('/backends/db');
    } finally {
      await recorder.close();
    }
    expect(recorder.calls.filter((call) => !allowed.test(call))).toEqual([]);
    const kinds = new Set(recorder.calls.map((call) => call.replace(/(?<=containers\/)[\w.-]+(?=\/json)/, '{id}')));
    expect([...kinds].sort()).toEqual([
      'GET /containers/json',
      'GET /containers/{id}/json',
      'GET /events',
      'GET /version',
    ]);
  });

  it('the proxy of the documentation lets docker-register work, and nothing else through', async () => {
    await startProxy(`bind unix@${dir}/docker.sock mode 660`);
    const env = { DOCKER_HOST: `unix://${dir}/docker.sock` };
    await registers.start(host, { ...env, RESYNC: '1h' });
    // Told by events alone.
    const id = await run('-p', '8000:8000', '--name', 'web');
    await keysAre('the start', id);
    expect((await command(env, 'explain', 'web')).output).toContain(`/backends/whoami/${id}`);
    const { output } = await command(env, 'doctor');
    for (const check of ['Docker', 'Docker list', 'Docker inspect', 'Docker events'])
      expect(output).toMatch(new RegExp(`^ok +${check} `, 'm'));

    for (const path of ['/_ping', '/version', '/v1.41/version', '/containers/web/json', '/v1.41/containers/json?all=1'])
      expect([path, await statusOf('GET', path)]).toEqual([path, 200]);
    for (const [method, path] of [
      ['POST', '/containers/create'],
      ['POST', '/v1.44/containers/create'],
      ['POST', '/containers/web/json'],
      ['POST', '/containers/web/stop'],
      ['POST', '/containers/web/exec'],
      ['POST', '/build'],
      ['PUT', '/containers/web/archive?path=/'],
      ['DELETE', '/containers/web'],
      ['OPTIONS', '/containers/json'],
      ['GET', '/containers/web/archive?path=/'],
      ['GET', '/containers/web/logs?stdout=1'],
      ['GET', '/containers/web/../../images/json'],
      ['GET', '/containers/../json'],
      ['GET', '/containers/web%2flogs?x=/json'],
      ['GET', '/images/json'],
      ['GET', '/info'],
      ['GET', '//images/json'],
      ['GET', '/secrets'],
      ['GET', '/'],
    ] as const)
      expect([method, path, await statusOf(method, path)]).toEqual([method, path, 403]);
    expect(await host.docker('inspect', '-f', '{{.State.Status}}', 'web')).toBe('running');

    // It comes back where it was, and so does docker-register.
    await stopProxy();
    await startProxy(`bind unix@${dir}/docker.sock mode 660`);
    await host.docker('kill', 'web');
    await keysAre('the end', ...[]);
  });

  async function statusOf(method: string, path: string): Promise<number | undefined> {
    const asked = request({ socketPath: `${dir}/docker.sock`, method, path });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  }
});

describe('over TLS', () => {
  let ca: Authority;
  let stranger: Authority;
  let client: SelfSigned;
  let env: Record<string, string>;

  /** A directory as DOCKER_CERT_PATH wants it. */
  async function certificates(name: string, trusted: SelfSigned, own: SelfSigned): Promise<string> {
    const path = join(dir, name);
    await mkdir(path);
    await Promise.all([
      writeFile(join(path, 'ca.pem'), trusted.certificate),
      writeFile(join(path, 'cert.pem'), own.certificate),
      writeFile(join(path, 'key.pem'), own.key),
    ]);
    return path;
  }

  beforeEach(async () => {
    [ca, stranger] = await Promise.all([authority('the CA'), authority('another CA')]);
    client = await ca.sign(['docker-register']);
    const server = await ca.sign(['127.0.0.1']);
    await writeFile(join(dir, 'server.pem'), `${server.certificate}${server.key}`);
    await writeFile(join(dir, 'ca.pem'), ca.certificate);
    [proxyPort = 0] = await freePorts(1);
    const tls = `ssl crt ${dir}/server.pem ca-file ${dir}/ca.pem verify required`;
    await startProxy(`bind 127.0.0.1:${String(proxyPort)} ${tls}`);
    env = {
      DOCKER_HOST: `tcp://127.0.0.1:${String(proxyPort)}`,
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: await certificates('certs', ca, client),
    };
  });

  it('docker-register and its commands work', async () => {
    await registers.start(host, { ...env, RESYNC: '1h' });
    const id = await run('-p', '8000:8000', '--name', 'web');
    await keysAre('the start', id);
    await host.docker('kill', 'web');
    await keysAre('the end', ...[]);
    expect((await command(env, 'doctor')).output).toMatch(/^ok +Docker list /m);
  });

  const explained = async (more: Readonly<Record<string, string>>): Promise<string> =>
    (await command({ ...env, ...more }, 'explain', 'nobody')).output;

  it('each thing that is wrong has its reason and its mend', async () => {
    expect(await explained({})).toContain('there is no container "nobody"');
    expect(await explained({ DOCKER_CERT_PATH: await certificates('a', stranger, client) })).toMatch(
      /its certificate is not signed by a CA that is trusted here \(.+\); ca\.pem in DOCKER_CERT_PATH must be/,
    );
    const foreign = await stranger.sign(['docker-register']);
    expect(await explained({ DOCKER_CERT_PATH: await certificates('b', ca, foreign) })).toMatch(
      /it refuses us \([\w ]*alert unknown ca\): cert\.pem in DOCKER_CERT_PATH must be signed by the CA which it trusts/,
    );
    const expired = await ca.sign(['docker-register'], -1);
    expect(await explained({ DOCKER_CERT_PATH: await certificates('c', ca, expired) })).toMatch(/it refuses us \(.+\)/);
    expect(await explained({ DOCKER_HOST: env['DOCKER_HOST']?.replace('127.0.0.1', 'localhost') ?? '' })).toMatch(
      /its certificate is for other names than DOCKER_HOST has \(.+\)/,
    );
    const plain = await startEngineProxy(engineSocket);
    try {
      expect(await explained({ DOCKER_HOST: plain.url })).toMatch(
        /it breaks off each connection at its start \(.+\); does it speak TLS\?/,
      );
    } finally {
      await plain.close();
    }
    const { output } = await command({ DOCKER_HOST: env['DOCKER_HOST'] ?? '' }, 'explain', 'nobody');
    expect(output).toMatch(/; if it speaks TLS, set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH/);
  });

  it('settings that do not go together, and files that are none, end it with 2', async () => {
    const unset = ['DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_HOST'];
    const without = (...names: readonly string[]): Record<string, string> =>
      Object.fromEntries(Object.entries(env).filter(([name]) => !(unset.includes(name) && names.includes(name))));
    const empty = join(dir, 'empty');
    await mkdir(empty);
    const mixed = await certificates('d', ca, { ...client, key: (await ca.sign(['other'])).key });
    for (const [settings, message] of [
      [without('DOCKER_TLS_VERIFY'), /DOCKER_CERT_PATH ".*certs" is for TLS: set DOCKER_TLS_VERIFY=1 too/],
      [without('DOCKER_CERT_PATH'), /DOCKER_TLS_VERIFY needs certificates: set DOCKER_CERT_PATH/],
      [
        without('DOCKER_HOST'),
        /DOCKER_TLS_VERIFY is for tcp:\/\/, and DOCKER_HOST is unix:\/\/\/var\/run\/docker\.sock/,
      ],
      [{ ...env, DOCKER_CERT_PATH: empty }, /DOCKER_CERT_PATH ".*empty\/ca\.pem" can't be read: ENOENT/],
      [{ ...env, DOCKER_CERT_PATH: mixed }, /DOCKER_CERT_PATH ".*key\.pem" is not the key of the certificate in /],
      [{ ...env, DOCKER_TLS_VERIFY: 'perhaps' }, /DOCKER_TLS_VERIFY.*must be yes or no/],
    ] as const) {
      const { code, output } = await command(settings);
      expect(output).toMatch(message);
      expect(code).toBe(2);
    }
  });
});
