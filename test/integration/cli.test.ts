import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { runDaemon, startDaemon } from './support/daemon.js';

let dir: string;
let binary: string;
beforeAll(async () => {
  binary = await haproxyPath(console.log);
  dir = await mkdtemp(join(tmpdir(), 'cli-'));
}, 600_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

type Name = 'docker-register' | 'docker-discover';
const good = { HOST_IP: '198.18.0.20', ETCD_HOST: '127.0.0.1:1' };

describe('wrong usage ends with 2 and one message that names thing, value and mend', () => {
  const cases: [Name, readonly string[], Record<string, string>, RegExp][] = [
    [
      'docker-register',
      [],
      { ETCD_HOST: 'etcd' },
      /^docker-register: HOST_IP is not set: .*-e HOST_IP=.*addresses seen from here: /,
    ],
    ['docker-register', [], { ETCD_HOST: 'etcd', HOST_IP: '' }, /^docker-register: HOST_IP is not set/],
    [
      'docker-register',
      [],
      { ...good, HOST_IP: 'nosuch0' },
      /HOST_IP.*"nosuch0" is not an IP address, an interface or auto; addresses seen from here/,
    ],
    ['docker-register', [], { ...good, HOST_IP: '0.0.0.0' }, /no other host can reach 0\.0\.0\.0/],
    ['docker-register', [], { HOST_IP: '10.0.0.1' }, /^docker-register: ETCD_HOST is not set: .*-e ETCD_HOST=/],
    ['docker-register', [], { ...good, ETCD_HOST: 'a,,b' }, /ETCD_HOST.*"a,,b" has an empty part/],
    [
      'docker-register',
      [],
      { ...good, ETCD_HOST: '10.0.0.256' },
      /"10\.0\.0\.256" is not an etcd host; give host, host:port or URL/,
    ],
    ['docker-register', [], { ...good, TTL: '15' }, /'15' from env 'TTL' is invalid.*15s/],
    [
      'docker-register',
      [],
      { ...good, NAME_BY: 'colour' },
      /'colour' from env 'NAME_BY'.*image, repository, compose-service, .*label:NAME, env:NAME, or a template/,
    ],
    ['docker-register', [], { ...good, DOCKER_HOST: 'ssh://x' }, /DOCKER_HOST.*unix:\/\/\/path or tcp:\/\/host:port/],
    ['docker-register', [], { ...good, LOG_LEVEL: 'loud' }, /LOG_LEVEL.*Allowed choices are trace, debug/],
    ['docker-register', [], { ...good, WITHDRAW_ON_EXIT: 'maybe' }, /WITHDRAW_ON_EXIT.*must be yes or no/],
    ['docker-register', [], { ...good, NAME_BY: '{{label.x}}' }, /NAME_BY.*"label\.x", but a template has image/],
    ['docker-register', [], { ...good, ONLY_LABEL: '=x' }, /ONLY_LABEL.*"=x" is not a label: give NAME or NAME=VALUE/],
    ['docker-register', [], { ...good, INTERNAL: 'a b' }, /INTERNAL.*must be yes, no, or the name of a network/],
    ['docker-register', ['--frob'], good, /unknown option '--frob'/],
    ['docker-register', ['ls', 'extra'], good, /too many arguments for 'ls'/],
    ['docker-discover', ['ls', 'extra'], {}, /too many arguments for 'ls'/],
    ['docker-discover', ['healthcheck', 'extra'], {}, /too many arguments for 'healthcheck'/],
    [
      'docker-discover',
      [],
      { ...good, STATS_BIND: '*:1936', METRICS_BIND: '127.0.0.1:1936' },
      /^docker-discover: both METRICS_BIND 127\.0\.0\.1:1936 and STATS_BIND \*:1936 want port 1936/,
    ],
    [
      'docker-register',
      ['frob'],
      good,
      /unknown command "frob"; there are ls, put, drain, undrain, explain, doctor, public-key, healthcheck, completion, man/,
    ],
    ['docker-register', ['ls'], { HOST_IP: '10.0.0.1' }, /ETCD_HOST is not set/],
    ['docker-register', ['doctor'], { ETCD_HOST: 'etcd' }, /HOST_IP is not set/],
    ['docker-discover', [], {}, /^docker-discover: ETCD_HOST is not set/],
    ['docker-discover', [], { ...good, PREFIX: 'backends' }, /PREFIX.*starts with "\/"/],
    ['docker-discover', [], { ...good, BIND: 'lo' }, /BIND.*"lo" is not a bind address: give \* or an IP address/],
    ['docker-discover', [], { ...good, SERVICES: 'a b' }, /SERVICES.*"a b" is not the name of a service/],
    ['docker-discover', [], { ...good, DENY_PORTS: '80-' }, /DENY_PORTS.*"80-" is not a port or a range/],
    ['docker-discover', [], { ...good, NETWORKS: '10.1.0.0/8' }, /NETWORKS.*"10.1.0.0\/8" has bits behind the 8 that/],
    ['docker-discover', [], { ...good, MAP: 'web' }, /MAP.*"web" is not a mapping: give SERVICE=PORT/],
    ['docker-discover', [], { ...good, STATS_BIND: '1936' }, /STATS_BIND.*\*:1936/],
    ['docker-discover', [], { ...good, POLL: '1ms' }, /POLL.*must be from 500ms to 1h/],
    [
      'docker-discover',
      [],
      { ...good, HAPROXY: '/nowhere/haproxy' },
      /^docker-discover: HAPROXY "\/nowhere\/haproxy" can't be run/,
    ],
    ['docker-discover', ['render'], {}, /ETCD_HOST is not set/],
    ['docker-discover', ['doctor'], { ...good, HTTPS_BIND: '443' }, /HTTPS_BIND needs certificates/],
    ['docker-discover', ['--quiet-period'], good, /argument missing/],
  ];
  it.each(cases)('%s %j %j', async (name, args, env, message) => {
    const { code, output } = await runDaemon(name, args, env);
    expect(output).toMatch(message);
    expect(output).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });

  it('a refused secret is not repeated', async () => {
    const { code, output } = await runDaemon('docker-discover', [], { ...good, STATS_AUTH: 'admin:hush hush' });
    expect(output).toMatch(/^docker-discover: STATS_AUTH must be user:password/);
    expect(output).not.toContain('hush');
    expect(code).toBe(2);
  });

  it('a template that is not there, or that HAProxy refuses', async () => {
    const env = { ...good, HAPROXY: binary, RUN_DIR: join(dir, 'run'), STATE_DIR: join(dir, 'state') };
    const missing = await runDaemon('docker-discover', [], { ...env, TEMPLATE: '/nowhere/template' });
    expect(missing.output).toMatch(/TEMPLATE "\/nowhere\/template" can't be read/);
    expect(missing.code).toBe(2);
    const nonsense = join(dir, 'nonsense');
    await writeFile(nonsense, 'nonsense\n');
    const refused = await runDaemon('docker-discover', [], { ...env, TEMPLATE: nonsense });
    expect(refused.output).toMatch(/docker-discover: TEMPLATE ".*nonsense" is refused by HAProxy: .*'nonsense'/);
    expect(refused.code).toBe(2);
    const open = join(dir, 'open');
    await writeFile(open, '{{#listeners}}\n');
    const unclosed = await runDaemon('docker-discover', [], { ...env, TEMPLATE: open });
    expect(unclosed.output).toMatch(/TEMPLATE ".*open" can't be rendered: Unclosed section "listeners"/);
    expect(unclosed.code).toBe(2);
  });
});

describe('help tells every setting with its variable and default', () => {
  it.each<[Name, readonly string[]]>([
    [
      'docker-register',
      [
        'HOST_IP',
        'ETCD_HOST',
        'ETCD_CA',
        'ETCD_CERT',
        'ETCD_KEY',
        'PREFIX',
        'TTL',
        'RESYNC',
        'DOCKER_HOST',
        'DOCKER_TLS_VERIFY',
        'DOCKER_CERT_PATH',
        'NAME_BY',
        'ONLY_LABEL',
        'INTERNAL',
        'ZONE',
        'CHANGE_RATE',
        'WITHDRAW_ON_EXIT',
        'RUN_DIR',
        'LOG_LEVEL',
        'LOG_FORMAT',
      ],
    ],
    [
      'docker-discover',
      [
        'ETCD_HOST',
        'ETCD_CA',
        'ETCD_CERT',
        'ETCD_KEY',
        'PREFIX',
        'POLL',
        'BIND',
        'STATS_BIND',
        'STATS_AUTH',
        'METRICS_BIND',
        'SERVICES',
        'DENY_SERVICES',
        'PORTS',
        'DENY_PORTS',
        'MAP',
        'ZONE',
        'ZONE_THRESHOLD',
        'TEMPLATE',
        'HAPROXY',
        'RUN_DIR',
        'STATE_DIR',
        'QUIET_PERIOD',
      ].concat([
        'QUIET_PERIOD_MAX',
        'RELOAD_INTERVAL',
        'DRAIN_DEADLINE',
        'LINGER',
        'HARD_STOP_AFTER',
        'STOP_TIMEOUT',
        'LOG_LEVEL',
        'LOG_FORMAT',
      ]),
    ],
  ])('%s', async (name, variables) => {
    const { code, output } = await runDaemon(name, ['--help']);
    const text = output.replace(/\s+/g, ' ');
    for (const variable of variables) expect(text).toMatch(new RegExp(`env: ${variable}\\)`));
    expect(code).toBe(0);
  });
});

describe('what is not there yet is waited for', () => {
  it('docker-register tells which socket, why, and when it tries again', async () => {
    const socket = join(dir, 'no.sock');
    const daemon = startDaemon('docker-register', [], {
      ...good,
      DOCKER_HOST: `unix://${socket}`,
      RUN_DIR: join(dir, 'reg'),
    });
    try {
      await waitFor('the message', () => daemon.output().includes('there is no such socket'));
      const [line = ''] = daemon
        .output()
        .split('\n')
        .filter((text) => text.includes('there is no such socket'));
      expect(JSON.parse(line)).toMatchObject({ level: 'error', retryIn: expect.stringMatching(/^\d+ms$/) as unknown });
      expect(line).toContain(`unix://${socket}`);
      expect(daemon.output()).not.toMatch(/\bat .*:\d+:\d+/);
      const { code, output } = await runDaemon('docker-register', ['healthcheck'], { RUN_DIR: join(dir, 'reg') });
      expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('not ready') as unknown });
    } finally {
      daemon.signal('SIGTERM');
    }
    expect(await daemon.ended).toBe(0);
  });

  it('docker-discover tells which etcd, why, and when it tries again', async () => {
    const env = {
      ...good,
      HAPROXY: binary,
      RUN_DIR: join(dir, 'run'),
      STATE_DIR: join(dir, 'state'),
      STATS_BIND: '127.0.0.1:19361',
      METRICS_BIND: 'none',
    };
    const daemon = startDaemon('docker-discover', [], env);
    try {
      await waitFor('the message', () => daemon.output().includes('etcd at http://127.0.0.1:1 did not list'));
      expect(daemon.output()).toMatch(/"retryIn":"\d+ms"/);
      expect(daemon.output()).not.toMatch(/\bat .*:\d+:\d+/);
    } finally {
      daemon.signal('SIGTERM');
    }
    expect(await daemon.ended).toBe(0);
  });

  it('ls ends with 1 where no daemon or no etcd answers', async () => {
    const discover = await runDaemon('docker-discover', ['ls'], { RUN_DIR: join(dir, 'nobody') });
    expect(discover).toEqual({
      code: 1,
      output: expect.stringContaining('does it run here, with the same --run-dir?') as unknown,
    });
    const register = await runDaemon('docker-register', ['ls'], good);
    expect(register).toEqual({
      code: 1,
      output: expect.stringContaining('etcd at http://127.0.0.1:1 did not list') as unknown,
    });
  });
});

it('standard output that can not be written is one line and exit code 1', async () => {
  const command = `exec ${process.execPath} --import tsx src/cli/docker-discover.ts completion bash > /dev/full`;
  const { code, output } = await new Promise<{ code: number | null; output: string }>((resolve) => {
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
    child.on('close', (ended) => {
      resolve({ code: ended, output: told });
    });
  });
  expect(output).toMatch(/^docker-discover: standard output can't be written: .*ENOSPC.*\n$/);
  expect(code).toBe(1);
});

it('docker-register ends where its RUN_DIR can not be made', async () => {
  const { code, output } = await runDaemon('docker-register', [], { ...good, RUN_DIR: '/proc/none' });
  expect(output).toContain("the socket /proc/none/control.sock can't be made");
  expect(code).toBe(1);
}, 30_000);
