import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { runDaemon, startDaemon, type Daemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { freePorts } from './support/free-ports.js';

/** What may be found nowhere. */
const canary = 'canary-7f3a9';
const inVariable = `${canary}-variable`;
const inFile = `${canary}-file`;
const ofStats = `${canary}-stats`;

let dir: string;
let etcd: TestEtcd;
let binary: string;
let discoverEnv: Record<string, string>;
let registerEnv: Record<string, string>;
const running: Daemon[] = [];

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  dir = await mkdtemp(join(tmpdir(), 'secrets-'));
  etcd = await startEtcd();
  const { client } = etcd;
  await client.user('root').create(inVariable);
  await client.user('root').addRole('root');
  await client.user('reader').create(inFile);
  await client.user('reader').addRole('root');
  await client.auth.authEnable();
  await writeFile(join(dir, 'password'), `${inFile}\n`);
  const [discoverPort = 0, statsPort = 0, registerPort = 0] = await freePorts(3);
  discoverEnv = {
    ...{ ETCD_HOST: etcd.host, ETCD_USER: 'reader', ETCD_PASSWORD_FILE: join(dir, 'password'), LOG_LEVEL: 'trace' },
    ...{ HAPROXY: binary, RUN_DIR: join(dir, 'discover'), STATE_DIR: join(dir, 'state'), BIND: '127.0.0.1' },
    ...{ STATS_AUTH: `admin:${ofStats}`, STATS_BIND: `127.0.0.1:${String(statsPort)}`, STOP_TIMEOUT: '1s' },
    METRICS_BIND: `127.0.0.1:${String(discoverPort)}`,
  };
  registerEnv = {
    ...{ ETCD_HOST: etcd.host, ETCD_USER: 'root', ETCD_PASSWORD: inVariable, LOG_LEVEL: 'trace' },
    ...{ HOST_IP: '198.18.0.20', DOCKER_HOST: `unix://${dir}/none.sock`, RUN_DIR: join(dir, 'register') },
    METRICS_BIND: `127.0.0.1:${String(registerPort)}`,
  };
}, 600_000);
afterAll(async () => {
  for (const daemon of running) daemon.signal('SIGTERM');
  for (const daemon of running) await daemon.ended;
  await etcd.dispose();
  await rm(dir, { recursive: true });
});

function start(...args: Parameters<typeof startDaemon>): Daemon {
  const daemon = startDaemon(...args);
  running.push(daemon);
  return daemon;
}

async function told(daemon: Daemon, words: string): Promise<void> {
  await waitFor(words, (seen) => seen(daemon.output()).includes(words));
}

async function metricsOf({ METRICS_BIND = '' }: Record<string, string>): Promise<string> {
  return (await fetch(`http://${METRICS_BIND}/metrics`)).text();
}

/** As `ps` shows it, which is the title too. */
async function titleOf({ pid }: Daemon): Promise<string> {
  return `${await readFile(`/proc/${String(pid)}/cmdline`, 'utf8')} ${await readFile(`/proc/${String(pid)}/comm`, 'utf8')}`;
}

it('no secret is in a log, a metric, a title, or what a command prints', async () => {
  const discover = start('docker-discover', [], discoverEnv);
  const register = start('docker-register', [], registerEnv);
  const put = start('docker-register', ['put', 'db', '198.18.0.40:5432', '--hold'], registerEnv);
  const exec = start('docker-discover', [], {
    ...discoverEnv,
    ...{ ETCD_USER: 'root', ETCD_PASSWORD: inVariable, ETCD_PASSWORD_FILE: '', STATS_AUTH: '', METRICS_BIND: 'none' },
    ...{
      RUN_DIR: join(dir, 'exec'),
      STATE_DIR: join(dir, 'exec-state'),
      EXEC: 'env | grep -E "ETCD|STATS" | sort | tail -4; exit 1',
    },
    ...{ TEMPLATE: join(dir, 'password'), OUTPUT: join(dir, 'output') },
  });
  await told(put, '"msg":"registered"');
  await told(register, 'failed; trying again until it works');
  await told(exec, 'ETCD_USER=root');
  await waitFor('the listener', async (seen) =>
    seen((await runDaemon('docker-discover', ['ls', '--json'], discoverEnv)).output).includes('198.18.0.40'),
  );
  const printed: string[] = [await metricsOf(discoverEnv), await metricsOf(registerEnv)];
  for (const daemon of running) printed.push(await titleOf(daemon));
  const commands = [
    ['docker-discover', discoverEnv, [['--help'], ['ls', '--json'], ['doctor', '--json'], ['explain', 'db']]],
    [
      'docker-register',
      registerEnv,
      [['--help'], ['ls', '--json'], ['doctor', '--json'], ['drain'], ['put', '--help']],
    ],
  ] as const;
  for (const [name, env, all] of commands)
    for (const args of all) printed.push((await runDaemon(name, args, env)).output);
  // A password that is wrong, and a file that is none.
  await writeFile(join(dir, 'password'), `${canary}-wrong\n`);
  printed.push((await runDaemon('docker-discover', ['render'], discoverEnv)).output);
  await writeFile(join(dir, 'password'), `${inFile}\n${canary}-second\n`);
  await told(discover, 'a file for etcd can not be used');
  printed.push(...running.map((daemon) => daemon.output()));
  for (const text of printed) {
    expect(text).not.toBe('');
    expect(text).not.toContain(canary);
  }
}, 180_000);

it('nor in the error about a password in DOCKER_HOST', async () => {
  for (const [args, env] of [
    [[], { DOCKER_HOST: `tcp://user:${canary}@10.0.0.1:2376` }],
    [['--docker-host', `user:${canary}@10.0.0.1`], {}],
  ] as [string[], Record<string, string>][]) {
    const { code, output } = await runDaemon('docker-register', args, {
      ...registerEnv,
      ETCD_HOST: '127.0.0.1:1',
      ...env,
    });
    expect([code, output]).toEqual([2, expect.stringContaining('DOCKER_HOST has a user or password in it')]);
    expect(output).not.toContain(canary);
  }
});

const wrong: [string, Record<string, string>, string[]][] = [
  ['two passwords', { ETCD_USER: 'a', ETCD_PASSWORD: canary, ETCD_PASSWORD_FILE: '/none' }, []],
  ['a password without a user', { ETCD_PASSWORD: canary }, []],
  ['a password in ETCD_HOST', { ETCD_HOST: `http://root:${canary}@etcd:2379` }, []],
  ['a stats page without a user', { STATS_AUTH: canary }, []],
  ['another setting that is wrong', { ETCD_USER: 'a', ETCD_PASSWORD: canary, LOG_LEVEL: 'loud' }, []],
  ['a flag that is mistyped', {}, [`--etcd-pasword=${canary}`]],
  ['a flag of a command that is mistyped', {}, ['ls', `--etcd-pasword=${canary}`]],
];
it.each(wrong)('nor in the error about %s', async (_what, env, args) => {
  const { code, output } = await runDaemon('docker-discover', args, { ETCD_HOST: '127.0.0.1:1', ...env });
  expect(code).toBe(2);
  expect(output).not.toBe('');
  expect(output).not.toContain(canary);
});
