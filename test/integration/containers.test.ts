import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLab, type EngineHost, type Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { runDaemon, type Daemon } from './support/daemon.js';
import { examine } from './support/doctor.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { createRegisters, standing, type Registers } from './support/registering.js';

let lab: Lab;
let host: EngineHost;
let etcd: TestEtcd;
let registers: Registers;

beforeAll(async () => {
  etcd = await startEtcd();
  lab = await startLab({ log: console.log });
  [host] = lab.backends;
}, 900_000);
afterAll(async () => {
  await lab.stop();
  await etcd.dispose();
});

beforeEach(async () => {
  await etcd.client.delete().prefix('/backends');
  registers = createRegisters(etcd);
});
afterEach(async () => {
  await registers.stop();
  await host.run(
    'docker ps -aq | xargs -r docker rm -f -v; docker network ls -q -f type=custom | xargs -r docker network rm',
  );
});

/** Starts a container; returns the first 12 digits of its id. */
async function run(...args: string[]): Promise<string> {
  return (await host.docker('run', '-d', ...args)).slice(0, 12);
}

/** Waits until exactly these keys and values stand, HOST for the host's address and ID for that of the container. */
async function registered(id: string, expected: Readonly<Record<string, string>>): Promise<void> {
  const text = JSON.stringify(expected).replaceAll('HOST', host.ip).replaceAll('ID', id);
  const entries = Object.entries(JSON.parse(text) as Record<string, string>).sort();
  await waitFor(`${text} to stand`, async (seen) => {
    const there = Object.entries(seen(await standing(etcd))).sort();
    return JSON.stringify(there) === JSON.stringify(entries);
  });
}

/** Waits for a line of the log with these fields. */
async function tells(daemon: Daemon, fields: Readonly<Record<string, unknown>>): Promise<void> {
  const isIt = (line: string): boolean => {
    if (!line.startsWith('{')) return false;
    const told = JSON.parse(line) as Record<string, unknown>;
    return Object.entries(fields).every(([name, value]) => told[name] === value);
  };
  await waitFor(`a line with ${JSON.stringify(fields)}`, () => daemon.output().split('\n').some(isIt));
}

const label = (text: string): string[] => ['-l', text];
const variable = (text: string): string[] => ['-e', text];

describe('a container is registered with', () => {
  it.each<[string, string[], Record<string, string>]>([
    [
      'its labels',
      [
        '-p',
        '8000:8000',
        ...['SERVICE_NAME=Shop', 'SERVICE_PORT=80', 'SERVICE_MODE=http', 'SERVICE_STICKY=cookie'].flatMap(label),
      ],
      { 'shop/ID': 'HOST:8000?port=80&mode=http&sticky=cookie' },
    ],
    [
      'its variables, which give way to its labels',
      [
        '-p',
        '8000:8000',
        ...variable('SERVICE_NAME=no'),
        ...variable('SERVICE_TAGS=a,b'),
        ...label('SERVICE_NAME=yes'),
      ],
      { 'yes/ID': 'HOST:8000?port=8000&tags=a,b' },
    ],
    [
      'what is for one of its ports',
      ['-p', '8000:8000', '-p', '8001:9000', ...label('SERVICE_NAME=web'), ...label('SERVICE_9000_NAME=admin')],
      { 'web/ID:8000': 'HOST:8000?port=8000', 'admin/ID:9000': 'HOST:8001?port=9000' },
    ],
    [
      'an id, a check and attributes of its own',
      [
        '-p',
        '8000:8000',
        ...[
          'SERVICE_ID=one',
          'SERVICE_CHECK_HTTP=/health',
          'SERVICE_CHECK_INTERVAL=15s',
          'SERVICE_REGION=eu-1',
        ].flatMap(label),
      ],
      { 'whoami/one': 'HOST:8000?port=8000&check=/health&check-interval=15s&region=eu-1' },
    ],
    [
      'every port of a range',
      ['-p', '7000-7002:8000-8002'],
      {
        'whoami/ID:8000': 'HOST:7000?port=8000',
        'whoami/ID:8001': 'HOST:7001?port=8001',
        'whoami/ID:8002': 'HOST:7002?port=8002',
      },
    ],
    [
      'the lower host port of one that is published twice',
      ['-p', '7001:8000', '-p', '7000:8000'],
      { 'whoami/ID': 'HOST:7000?port=8000' },
    ],
    [
      'all but a port that is ignored',
      ['-p', '8000:8000', '-p', '8001:9000', ...label('SERVICE_9000_IGNORE=1')],
      { 'whoami/ID': 'HOST:8000?port=8000' },
    ],
    [
      'host names and a path for the HTTP entrance',
      [
        '-p',
        '8000:8000',
        ...label('SERVICE_HTTP_HOST=Shop.example,*.shop.example'),
        ...label('SERVICE_HTTP_PATH=/api/'),
      ],
      { 'whoami/ID': 'HOST:8000?port=8000&http-host=shop.example,*.shop.example&http-path=/api' },
    ],
    [
      'nginx-proxy’s words for them, for the port that they name',
      [
        '-p',
        '8000:8000',
        '-p',
        '8001:9000',
        ...variable('VIRTUAL_HOST=shop.example'),
        ...variable('VIRTUAL_PORT=9000'),
      ],
      { 'whoami/ID:8000': 'HOST:8000?port=8000', 'whoami/ID:9000': 'HOST:8001?port=9000&http-host=shop.example' },
    ],
    ['its exposed port on the host’s network', ['--net', 'host'], { 'whoami/ID': 'HOST:8000?port=8000' }],
  ])('%s', async (_what, args, expected) => {
    await registers.start(host);
    await registered(await run(...args, 'whoami'), expected);
  });

  it('the one host address that it is published on', async () => {
    await registers.start(host);
    await registered(await run('-p', `${host.ip}:8000:8000`, 'whoami'), { 'whoami/ID': 'HOST:8000?port=8000' });
  });

  it('the port that the owner of its network publishes for it', async () => {
    await registers.start(host);
    const owner = await run('-p', '8000:8000', '-p', '8001:9000', ...label('SERVICE_NAME=owner'), 'whoami');
    const guest = await run('--net', `container:${owner}`, 'whoami', '/bin/busybox', 'sleep', '1000');
    await registered(guest, { 'whoami/ID': 'HOST:8000?port=8000', [`owner/${owner}:9000`]: 'HOST:8001?port=9000' });
    await host.docker('rm', '-f', guest);
    await registered(owner, { 'owner/ID:8000': 'HOST:8000?port=8000', 'owner/ID:9000': 'HOST:8001?port=9000' });
  });

  it('its own address on the network that INTERNAL names', async () => {
    await registers.start(host, { INTERNAL: 'lan' });
    await host.docker('network', 'create', '--subnet', '198.19.7.0/24', 'lan');
    const id = await run('--net', 'lan', '--ip', '198.19.7.9', 'whoami');
    await registered(id, { 'whoami/ID': '198.19.7.9:8000?port=8000' });
  });

  it('a name by Docker Compose, or by a template', async () => {
    const compose = ['com.docker.compose.project=shop', 'com.docker.compose.service=web'].flatMap(label);
    await registers.start(host, { NAME_BY: '{{compose.project}}-{{compose.service}}-{{env.STAGE}}' });
    await registered(await run('-p', '8000:8000', ...compose, ...variable('STAGE=test'), 'whoami'), {
      'shop-web-test/ID': 'HOST:8000?port=8000',
    });
  });
});

describe('a container is not registered', () => {
  it('without the label of ONLY_LABEL, nor with SERVICE_IGNORE', async () => {
    const daemon = await registers.start(host, { ONLY_LABEL: 'publish=yes' });
    const other = await run('-p', '7000:8000', 'whoami');
    const ignored = await run('-p', '7001:8000', ...label('publish=yes'), ...label('SERVICE_IGNORE=false'), 'whoami');
    await tells(daemon, { level: 'debug', id: other, reason: 'it has no label publish' });
    await tells(daemon, { level: 'debug', id: ignored, reason: 'label SERVICE_IGNORE is set' });
    await registered(await run('-p', '8000:8000', ...label('publish=yes'), 'whoami'), {
      'whoami/ID': 'HOST:8000?port=8000',
    });
  });

  it('on loopback, with a warning', async () => {
    const daemon = await registers.start(host);
    const id = await run('-p', '127.0.0.1:8000:8000', 'whoami');
    const reason = 'it is published on loopback only, where no other host reaches it';
    await tells(daemon, { level: 'warn', msg: 'skipped', id, containerPort: '8000/tcp', reason });
    expect(await standing(etcd)).toEqual({});
  });
});

it('a label that is not understood is one warning, and the default holds', async () => {
  const daemon = await registers.start(host, { RESYNC: '1s' });
  const id = await run('-p', '8000:8000', ...label('SERVICE_WEIGHT=heavy'), 'whoami');
  await registered(id, { 'whoami/ID': 'HOST:8000?port=8000' });
  const fields = { source: 'label SERVICE_WEIGHT', value: 'heavy', allowed: 'a number from 1 to 256' };
  await tells(daemon, { level: 'warn', id, ...fields });
  // Another look at everything, and it is not told again.
  await registered(await run('-p', '8001:8000', ...label('SERVICE_NAME=next'), 'whoami'), {
    [`whoami/${id}`]: 'HOST:8000?port=8000',
    'next/ID': 'HOST:8001?port=8000',
  });
  expect(daemon.output().split('SERVICE_WEIGHT').length - 1).toBe(1);
});

describe('docker-register explain', () => {
  const explain = (name: string, ...args: string[]): ReturnType<typeof runDaemon> =>
    runDaemon('docker-register', ['explain', name, ...args], {
      HOST_IP: host.ip,
      ETCD_HOST: etcd.host,
      DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
    });

  it('tells what is registered of a container, and what is not and why', async () => {
    await registers.start(host);
    const id = await run(
      '-p',
      '8000:8000',
      '-p',
      '53:53/udp',
      '--name',
      'shop',
      ...label('SERVICE_WEIGHT=heavy'),
      'whoami',
    );
    await registered(id, { 'whoami/ID': 'HOST:8000?port=8000' });
    const { code, output } = await explain('shop');
    expect(code).toBe(0);
    expect(output).toContain(`shop (${id}, image whoami)`);
    expect(output).toMatch(new RegExp(`/backends/whoami/${id} +${host.ip}:8000\\?port=8000 +registered\n`));
    expect(output).toMatch(/53\/udp +only TCP is proxied/);
    expect(output).toMatch(/label SERVICE_WEIGHT +heavy +a number from 1 to 256/);
    expect(JSON.parse((await explain(id, '--json')).output)).toMatchObject({ registrations: [{ isRegistered: true }] });
  });

  it('asks Docker about names and ids alone', async () => {
    for (const name of ['', '../x', 'a/b', 'x y', 'json?all=1']) {
      const { code, output } = await explain(name);
      expect([name, code]).toEqual([name, 2]);
      expect(output).toContain('is no name or id of a container');
    }
  });

  it('tells without etcd what Docker alone can tell, and fails', async () => {
    await run('--name', 'unpublished', 'whoami');
    const { code, output } = await runDaemon('docker-register', ['explain', 'unpublished'], {
      HOST_IP: host.ip,
      ETCD_HOST: '127.0.0.1:1',
      DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
    });
    expect(output).toMatch(/8000\/tcp +it is exposed, but not published +start the container with -p 8000\n/);
    expect(output).toContain('docker-register: what stands in etcd is not known: ');
    expect(code).toBe(1);
  });

  it('tells the one reason of a container that is left out, and that there is none of a name', async () => {
    await run('--name', 'quiet', 'whoami');
    expect((await explain('quiet')).output).toMatch(/8000\/tcp +it is exposed, but not published/);
    await run('-p', '8000:8000', '--name', 'unheard', 'whoami');
    expect((await explain('unheard')).output).toContain('not in etcd: docker-register does not run');
    expect(await explain('nobody')).toMatchObject({
      code: 1,
      output: 'docker-register: there is no container "nobody" on this host\n',
    });
  });
});

it('docker-register doctor finds nothing wrong with a real engine, and a daemon that has registered', async () => {
  const id = await run('-p', '8000:8000', 'whoami');
  const dir = await mkdtemp(join(tmpdir(), 'doctor-'));
  await registers.start(host, { RUN_DIR: dir });
  await registered(id, { 'whoami/ID': 'HOST:8000?port=8000' });
  const told = await examine('docker-register', {
    HOST_IP: host.ip,
    ETCD_HOST: etcd.host,
    DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
    RUN_DIR: dir,
  });
  await rm(dir, { recursive: true, force: true });
  expect(told.findings.filter(({ result }) => result === 'failed')).toEqual([]);
  expect(told.of('Docker')).toMatch(/^ok Docker: version \d+\.\d+\.\d+\S*, API 1\.\d+, at unix:/);
  expect(told.of('Docker list')).toMatch(/^ok Docker list: 1 container listed in /);
  expect(told.of('Docker inspect')).toMatch(/^ok /);
  expect(told.of('Docker events')).toMatch(/^ok /);
  expect(told.of('docker-register')).toBe('ok docker-register: ready, with 1 registration');
  expect(told.of('lease')).toMatch(/^ok lease: \d+s of \d+s left$/);
});
