import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../lab/command.js';
import { haproxyPath } from '../lab/haproxy.js';
import { startLab, type Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import { runDaemon, startDaemon, type Daemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { createRegisters, entriesOf, watchKeys } from './support/registering.js';
import { createSite, type Site } from './support/site.js';

/** The files are looked at every 10 s, and a broken one is told of at the second look. */
const lookMs = 40_000;

let etcd: TestEtcd;
let binary: string;
let a: BackEnd;
let b: BackEnd;
let dir: string;
let site: Site;
const running: Daemon[] = [];

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  etcd = await startEtcd();
  // Two back-end hosts: 127.0.0.1 and 127.0.0.2.
  [a, b] = [await startBackEnd('a'), await startBackEnd('b', '127.0.0.2')];
}, 600_000);
afterAll(async () => {
  await Promise.all([a.close(), b.close()]);
  await etcd.dispose();
});

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'signed-'));
  for (const name of ['a', 'b', 'c', 'operator'])
    await runCommand(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', keyFile(name)]);
  site = await createSite({ etcd, binary, prefix: '/backends', env: { SIGNERS_FILE: join(dir, 'signers') } });
});
afterEach(async () => {
  for (const daemon of running.splice(0)) {
    daemon.signal('SIGTERM');
    await daemon.ended;
  }
  await site.dispose();
  await rm(dir, { recursive: true, force: true });
});

function keyFile(name: string): string {
  return join(dir, `${name}.pem`);
}

/** The line for the list, as docker-register prints it for a host with that key. */
async function lineOf(name: string, ip = '127.0.0.1'): Promise<string> {
  const { code, output } = await runDaemon('docker-register', ['public-key'], {
    HOST_IP: ip,
    SIGNING_KEY_FILE: keyFile(name),
  });
  expect(code, output).toBe(0);
  return output;
}

async function listSigners(...lines: readonly string[]): Promise<void> {
  await writeFile(join(dir, 'signers'), lines.join(''));
}

function by(name: string, ...args: string[]): Daemon {
  const daemon = startDaemon('docker-register', args, {
    ETCD_HOST: etcd.host,
    TTL: '3s',
    LOG_LEVEL: 'trace',
    ...(name === '' ? {} : { SIGNING_KEY_FILE: keyFile(name) }),
  });
  running.push(daemon);
  return daemon;
}

/** To its end. */
async function done(name: string, ...args: string[]): Promise<string> {
  const daemon = by(name, ...args);
  expect(await daemon.ended, daemon.output()).toBe(0);
  return daemon.output();
}

const put = (name: string, { address }: BackEnd, id: string, service = 'web', port = site.port): Promise<string> =>
  done(name, 'put', service, address, `port=${String(port)}`, '--id', id);

async function valueOf(key: string): Promise<string> {
  return (await etcd.client.get(`/backends/${key}`).string()) ?? '';
}

/** Why keys are not served. */
async function reasons(): Promise<Record<string, string>> {
  const { problems } = await site.ls();
  return Object.fromEntries(problems.map(({ key, reason }) => [key.replace('/backends/', ''), reason]));
}

async function statuses(): Promise<Record<string, string>> {
  const { listeners } = await site.ls();
  return Object.fromEntries(listeners.flatMap(({ endpoints }) => endpoints.map(({ id, status }) => [id, status])));
}

describe('docker-discover with SIGNERS_FILE', () => {
  it('serves what the key of its address has signed, and tells of all else why not', async () => {
    await listSigners('# back ends\n', await lineOf('a'), await lineOf('b', '127.0.0.2'));
    const metrics = `127.0.0.1:${String(site.thirdPort)}`;
    site.start({ METRICS_BIND: metrics });
    await Promise.all([put('a', a, 'a'), put('b', b, 'b')]);
    await site.answers(site.port, 'a', 'b');

    const good = await valueOf('web/a');
    await Promise.all([
      put('', b, 'unsigned', 'shop', site.otherPort),
      put('c', b, 'unknown', 'shop', site.otherPort),
      put('a', b, 'foreign', 'shop', site.otherPort),
    ]);
    await site.put('shop/moved', good.replace('web', 'shop'));
    await site.put('shop/altered', good.replace(`port=${String(site.port)}`, `port=${String(site.otherPort)}`));
    await site.put('shop/cut', good.slice(0, -1));
    const id = /&by=([0-9a-f]{16})&/.exec(good)?.[1] ?? '';
    await waitFor('all to be told', async (seen) => Object.keys(seen(await reasons())).length === 6);
    expect(await reasons()).toEqual({
      'shop/unsigned': expect.stringMatching(
        /^it is not signed, and this host wants signatures \(SIGNERS_FILE\)/,
      ) as string,
      'shop/unknown': expect.stringMatching(
        /^it is signed by the key [0-9a-f]{16}, which SIGNERS_FILE does not have/,
      ) as string,
      'shop/foreign': `it is signed by the key ${id}, which may not speak for 127.0.0.2, but for 127.0.0.1/32 (SIGNERS_FILE)`,
      'shop/moved': expect.stringContaining(`its signature by the key ${id} is wrong`) as string,
      'shop/altered': expect.stringContaining(`its signature by the key ${id} is wrong`) as string,
      'shop/cut': expect.stringContaining('its signature is not of the form') as string,
    });
    expect(await site.get(site.otherPort)).toBe('');
    expect((await site.run('ls')).output).toContain('which may not speak for 127.0.0.2');
    expect((await site.run('explain', 'shop')).output).toContain('/backends/shop/unsigned: it is not signed');
    const { output: model } = await site.run('model');
    expect(model).toContain('not served: "/backends/shop/foreign": it is signed by the key');
    expect(model).not.toContain('"shop"');
    expect(site.output()).toMatch(/"key":"\/backends\/shop\/foreign","reason":"it is signed by the key/);
    const text = await (await fetch(`http://${metrics}/metrics`)).text();
    expect(text).toContain('docker_discover_not_served{reason="rejected"} 6');
    await site.answers(site.port, 'a', 'b');

    // What stood there is replaced by whoever may write to etcd; it is not served under the name of its host.
    await site.put('web/b', `${a.address}?port=${String(site.port)}`);
    await site.answers(site.port, 'a');
    await put('b', b, 'b');
    await site.answers(site.port, 'a', 'b');
  }, 180_000);

  it('lets a key drain what is at its own addresses, and an operator everything', async () => {
    await listSigners(
      await lineOf('a'),
      await lineOf('b', '127.0.0.2'),
      (await lineOf('operator')).replace('127.0.0.1', '0.0.0.0/0,::/0'),
    );
    site.start();
    await Promise.all([put('a', a, 'a'), put('b', b, 'b')]);
    await site.answers(site.port, 'a', 'b');

    expect(await done('', 'drain', '127.0.0.2')).toContain(
      'this drain is not: client hosts with SIGNERS_FILE do not heed it',
    );
    await waitFor('the one that is not signed', async (seen) => 'drain:/127.0.0.2' in seen(await reasons()));
    expect((await reasons())['drain:/127.0.0.2']).toContain('it is not signed');
    expect(await done('a', 'drain', '127.0.0.2')).not.toContain('do not heed it');
    const isForeign = async (): Promise<boolean> =>
      (await reasons())['drain:/127.0.0.2']?.includes('may not speak for 127.0.0.2') === true;
    await waitFor('the one of another host', isForeign);
    await done('a', 'drain', 'b');
    await done('a', 'drain', 'a');
    await waitFor('its own', async (seen) => seen(await statuses())['a'] === 'DRAIN');
    expect((await statuses())['b']).toBe('UP');
    await site.answers(site.port, 'b');

    await done('a', 'undrain', 'a');
    await done('operator', 'drain', '127.0.0.2');
    await waitFor('that of the operator', async (seen) => seen(await statuses())['b'] === 'DRAIN');
    await site.answers(site.port, 'a');
    expect(await reasons()).toEqual({});
  }, 180_000);

  it('judges everything anew when the list changes, and goes on with the last one while it is broken', async () => {
    const [lineA, lineB] = [await lineOf('a'), await lineOf('b', '127.0.0.2')];
    await listSigners(lineA);
    site.start();
    await Promise.all([put('a', a, 'a'), put('b', b, 'b')]);
    await site.answers(site.port, 'a');
    await listSigners(lineA, lineB);
    await site.answers(site.port, 'a', 'b');
    await listSigners(lineB, 'nonsense\n');
    await waitFor('the broken list to be told', () => site.told('SIGNERS_FILE can not be used; what was read before holds'), { timeoutMs: lookMs }); // prettier-ignore
    expect(site.output()).toContain('line 2: ');
    await site.answers(site.port, 'a', 'b');
    expect((await site.run('doctor')).output).toMatch(/failed +signatures +SIGNERS_FILE .* line 2: /);
    await listSigners(lineB);
    await site.answers(site.port, 'b');
    expect(Object.keys(await reasons())).toEqual(['web/a']);
    expect(site.told('SIGNERS_FILE can be used again')).toBe(1);
    expect((await site.run('doctor')).output).toMatch(/ok +signatures +SIGNERS_FILE has 1 key\n/);
  }, 180_000);

  it('judges what it kept on disk too', async () => {
    const [lineA, lineB] = [await lineOf('a'), await lineOf('b', '127.0.0.2')];
    await listSigners(lineA, lineB);
    site.start();
    await Promise.all([put('a', a, 'a'), put('b', b, 'b')]);
    await site.answers(site.port, 'a', 'b');
    const kept = async (): Promise<boolean> =>
      (await readFile(join(site.dir, 'state', 'last-known-good.json'), 'utf8')).includes('web/b');
    await waitFor('the last known good state', kept);
    await site.stop();
    await listSigners(lineB);
    etcd.signal('SIGSTOP');
    try {
      site.start();
      await site.answers(site.port, 'b');
      expect((await site.ls()).catalog).toBe('last known good');
    } finally {
      etcd.signal('SIGCONT');
    }
  }, 120_000);
});

describe('docker-register put --hold with SIGNING_KEY_FILE', () => {
  it('goes on under another key, without a gap', async () => {
    const old = await lineOf('a');
    await listSigners(old);
    site.start();
    by('a', 'put', 'web', a.address, `port=${String(site.port)}`, '--id', 'a', '--hold');
    await site.answers(site.port, 'a');
    const failed: string[] = [];
    const end = new AbortController();
    const asking = (async () => {
      while (!end.signal.aborted) {
        const answer = await site.get(site.port);
        if (answer !== 'a') failed.push(answer);
      }
    })();
    try {
      const next = (await lineOf('c')).replace('\n', '  # from now on\n');
      await listSigners(old, next);
      const adopted = (count: number) => (): boolean =>
        site.told('SIGNERS_FILE changed; all registrations are judged by it') === count;
      await waitFor('the new key in the list', adopted(1), { timeoutMs: lookMs });
      await writeFile(keyFile('a'), await readFile(keyFile('c')));
      const id = /by=([0-9a-f]{16})/.exec(await valueOf('web/a'))?.[1] ?? '';
      // The key is put once a minute.
      await waitFor('the new signature', async () => !(await valueOf('web/a')).includes(id), { timeoutMs: 90_000 });
      await listSigners(next);
      await waitFor('the old key to go', adopted(2), { timeoutMs: lookMs });
      await site.answers(site.port, 'a');
    } finally {
      end.abort();
      await asking;
    }
    expect(failed).toEqual([]);
    expect(site.told('not served')).toBe(0);
  }, 240_000);
});

describe('a file that is not what it should be', () => {
  it.each([
    ['is missing', null, /SIGNING_KEY_FILE ".*key" can't be read: /],
    [
      'is of another kind',
      'rsa',
      /SIGNING_KEY_FILE ".*key" is a key of the kind rsa, and not of Ed25519; make one with openssl genpkey -algorithm ed25519/,
    ],
    ['is a public key', 'public', /SIGNING_KEY_FILE ".*key" has no private key in it/],
    ['is encrypted', 'encrypted', /SIGNING_KEY_FILE ".*key" is encrypted/],
  ])(
    'a key that %s ends docker-register with code 2',
    async (_what, kind, message) => {
      const path = join(dir, 'key');
      const make = {
        rsa: ['genpkey', '-algorithm', 'RSA', '-out', path],
        public: ['pkey', '-in', keyFile('a'), '-pubout', '-out', path],
        encrypted: ['pkey', '-in', keyFile('a'), '-aes256', '-passout', 'pass:secret', '-out', path],
      };
      if (kind !== null) await runCommand(['openssl', ...make[kind as keyof typeof make]]);
      const env = {
        SIGNING_KEY_FILE: path,
        HOST_IP: '127.0.0.1',
        ETCD_HOST: etcd.host,
        DOCKER_HOST: `unix://${dir}/d`,
        RUN_DIR: dir,
      };
      for (const args of [[], ['public-key'], ['put', 'db', '198.18.0.40:5432']]) {
        const { code, output } = await runDaemon('docker-register', args, env);
        expect(output).toMatch(message);
        expect(output.trim().split('\n')).toHaveLength(1);
        expect(code).toBe(2);
      }
      const doctor = await runDaemon('docker-register', ['doctor'], env);
      expect(doctor.output).toMatch(new RegExp(`failed +signing key +${message.source}`));
      expect(doctor.code).toBe(1);
    },
    120_000,
  );

  it.each([
    ['has no key', '# none\n', /SIGNERS_FILE ".*signers" has no key in it/],
    ['has a line that is none', '\nhost-a key\n', /SIGNERS_FILE ".*signers" line 2: "host-a" is not a network/],
  ])('a list that %s ends docker-discover with code 2', async (_what, text, message) => {
    await listSigners(text);
    const { code, output } = await site.run();
    expect(output).toMatch(message);
    expect(code).toBe(2);
  });

  it('its line needs no address of the host: who makes the list fills it in', async () => {
    const { code, output } = await runDaemon('docker-register', ['public-key'], { SIGNING_KEY_FILE: keyFile('a') });
    expect([code, output]).toEqual([0, (await lineOf('a')).replace('127.0.0.1', 'ADDRESS')]);
  });

  it('no key is asked of who has none', async () => {
    const { code, output } = await runDaemon('docker-register', ['public-key'], { HOST_IP: '127.0.0.1' });
    expect([code, output]).toEqual([2, expect.stringContaining('SIGNING_KEY_FILE is not set')]);
  });
});

describe('docker-register with SIGNING_KEY_FILE', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ log: console.log });
  }, 900_000);
  afterAll(() => lab.stop());

  it('signs what runs, puts nothing anew after a restart, and another key on all of it, without a gap', async () => {
    const [host] = lab.backends;
    const registers = createRegisters(etcd);
    // It is to outlive the start of the next one.
    const env = { SIGNING_KEY_FILE: keyFile('a'), TTL: '1m' };
    const outputs: Daemon[] = [];
    const values = async (): Promise<string[]> => (await entriesOf(etcd)).map(({ value }) => value);
    try {
      await listSigners(await lineOf('a', host.ip));
      await host.docker('run', '-d', '-p', '8000:8000', 'whoami');
      await host.docker('run', '-d', '-p', '8001:8000', 'whoami');
      outputs.push(await registers.start(host, env));
      await waitFor('both', async (seen) => seen(await values()).length === 2);
      const before = await values();
      expect(before.every((value) => /&by=[0-9a-f]{16}&sig=/.test(value))).toBe(true);
      site.start();
      await waitFor('both in the pool', async (seen) => Object.keys(seen(await statuses())).length === 2);

      const watch = await watchKeys(etcd);
      await registers.stop();
      outputs.push(await registers.start(host, env));
      const leases = async (): Promise<Set<string>> => new Set((await entriesOf(etcd)).map(({ lease }) => lease));
      await waitFor('the new lease', () => outputs[1]?.output().split('"msg":"registered"').length === 3);
      expect((await leases()).size).toBe(1);
      expect(await values()).toEqual(before);
      expect(watch.changes.filter((change) => change.endsWith('gone'))).toEqual([]);

      const [oldLine, newLine] = [await lineOf('a', host.ip), await lineOf('c', host.ip)];
      await listSigners(oldLine, newLine);
      await waitFor('the list', () => site.told('SIGNERS_FILE changed; all registrations are judged by it'), { timeoutMs: lookMs }); // prettier-ignore
      await writeFile(keyFile('a'), await readFile(keyFile('c')));
      const isNew = async (): Promise<boolean> => (await values()).every((value) => !before.includes(value));
      await waitFor('the new signatures', isNew, { timeoutMs: lookMs });
      await listSigners(newLine);
      await waitFor('the old key to go', () => site.told('SIGNERS_FILE changed; all registrations are judged by it') === 2, { timeoutMs: lookMs }); // prettier-ignore
      expect(Object.keys(await statuses())).toHaveLength(2);
      expect(site.told('not served')).toBe(0);
      expect(watch.changes.filter((change) => change.endsWith('gone'))).toEqual([]);
      await watch.stop();

      const ls = await runDaemon('docker-register', ['ls'], { HOST_IP: host.ip, ETCD_HOST: etcd.host });
      expect(ls.output).toMatch(/LEASE LEFT +SIGNED BY\n(?:whoami .* [0-9a-f]{16}\n){2}$/);
      const [name = ''] = (await host.docker('ps', '-q')).split('\n');
      const explain = await runDaemon('docker-register', ['explain', name], {
        ...{ HOST_IP: host.ip, ETCD_HOST: etcd.host, DOCKER_HOST: `unix://${host.root}/run/docker.sock` },
      });
      expect(explain.output).toMatch(/ registered; signed by [0-9a-f]{16}\n/);
    } catch (error) {
      console.log(registers.output());
      throw error;
    } finally {
      await registers.stop();
      await host.run('docker ps -aq | xargs -r docker rm -f -v');
    }
    const secrets = await Promise.all(['a', 'c'].map((name) => readFile(keyFile(name), 'utf8')));
    const said = [...outputs.map((daemon) => daemon.output()), site.output()].join('\n');
    for (const secret of secrets) expect(said).not.toContain(secret.split('\n')[1]);
    expect(said).not.toContain('PRIVATE KEY');
  }, 300_000);
});
