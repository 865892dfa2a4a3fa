import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEtcdClient, type EtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import type { Registry, WatchEvent } from '../../src/ports/registry.js';
import { waitFor } from '../lab/wait-for.js';
import { authority, type Authority } from './support/certificate.js';
import { runDaemon, startDaemon, type Daemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';

const run = promisify(execFile);
const { signal } = new AbortController();

let dir: string;
let ca: Authority;
let etcd: TestEtcd;
/** Of the client, without a user. */
let env: Record<string, string>;
const passwords = { register: 'of-register', discover: 'of-discover', root: 'of-root' };

const file = (name: string): string => join(dir, name);

async function write(name: string, text: string): Promise<string> {
  await writeFile(file(name), text);
  return file(name);
}

/** The commands that docs/security.md tells, as they stand there. */
async function commandsOfTheDocs(): Promise<string> {
  const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const [, commands = ''] = /```sh\n(etcdctl role add.*?)```/s.exec(page) ?? [];
  return commands;
}

/** Signed for a server, and for a client whose name is no user's. */
async function writeIdentities(by: Authority): Promise<void> {
  const [server, client] = await Promise.all([by.sign(['127.0.0.1']), by.sign(['a-host'])]);
  await Promise.all([
    write('server.pem', server.certificate),
    write('server.key', server.key),
    write('client.pem', client.certificate),
    write('client.key', client.key),
  ]);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'etcd-users-'));
  ca = await authority('the CA');
  await Promise.all([
    writeIdentities(ca),
    write('ca.pem', ca.certificate),
    write('register-user', 'docker-register\n'),
    write('discover-user', 'docker-discover\n'),
    write('register-password', `${passwords.register}\n`),
    write('discover-password', `${passwords.discover}\n`),
    write('root-password', `${passwords.root}\n`),
  ]);
  await run('openssl', ['genrsa', '-out', file('jwt.key'), '2048']);
  await run('openssl', ['rsa', '-in', file('jwt.key'), '-pubout', '-out', file('jwt.pub')]);
  const identity = {
    certificate: await readFile(file('client.pem'), 'utf8'),
    key: await readFile(file('client.key'), 'utf8'),
  };
  etcd = await startEtcd(
    [
      ...['--cert-file', file('server.pem'), '--key-file', file('server.key')],
      ...['--client-cert-auth', '--trusted-ca-file', file('ca.pem')],
      ...['--auth-token-ttl', '3'],
    ],
    { ca: ca.certificate, identity },
  );
  env = {
    ETCD_HOST: etcd.url,
    ETCD_CA: file('ca.pem'),
    ETCD_CERT: file('client.pem'),
    ETCD_KEY: file('client.key'),
  };
  const environment = {
    ...{ PATH: process.env['PATH'], ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: etcd.url },
    ...{ ETCDCTL_CACERT: file('ca.pem'), ETCDCTL_CERT: file('client.pem'), ETCDCTL_KEY: file('client.key') },
  };
  // A daemon that has its user before etcd asks for one.
  const early = startDaemon('docker-register', ['put', 'early', '198.18.0.9:80', '--hold'], { ...as('register') });
  try {
    await waitFor(
      'the first registration',
      async (seen) => seen((await etcd.registry.list(signal)).entries.length) === 1,
    );
    await run('bash', ['-euc', await commandsOfTheDocs()], { cwd: dir, env: environment });
  } finally {
    early.signal('SIGTERM');
    expect(await early.ended, early.output()).toBe(0);
  }
  expect(early.output()).not.toMatch(/"level":"(?:warn|error)"/);
  // It has withdrawn it as that user.
  await withUser('discover', async (registry) => {
    expect((await registry.list(signal)).entries).toEqual([]);
  });
});
afterAll(async () => {
  await etcd.dispose();
  await rm(dir, { recursive: true });
});

function as(who: 'register' | 'discover'): Record<string, string> {
  return {
    ...env,
    ETCD_USER_FILE: file(`${who}-user`),
    ETCD_PASSWORD_FILE: file(`${who}-password`),
  };
}

async function accessOf(who: keyof typeof passwords): Promise<Omit<Parameters<typeof createEtcdClient>[0], 'hosts'>> {
  const text = (name: string): Promise<string> => readFile(file(name), 'utf8');
  const identity = { certificate: await text('client.pem'), key: await text('client.key') };
  return {
    tls: { ca: await text('ca.pem'), identity },
    user: { name: who === 'root' ? who : `docker-${who}`, password: passwords[who] },
  };
}

async function withUser<T>(
  who: keyof typeof passwords,
  work: (registry: Registry, client: EtcdClient) => Promise<T>,
): Promise<T> {
  const client = createEtcdClient({ hosts: [etcd.url], ...(await accessOf(who)) });
  try {
    return await work(createRegistry({ client, hosts: [etcd.url], keyspace: '/backends/' }), client);
  } finally {
    client.close();
  }
}

describe('with the rights that the docs give', () => {
  it('docker-register does all that it does', async () => {
    await withUser('register', async (registry) => {
      const lease = await registry.grantLease(30_000, signal);
      const { revision } = await registry.list(signal);
      const events: WatchEvent[] = [];
      const end = new AbortController();
      const watching = registry.watch(revision, (some) => events.push(...some), end.signal);
      const key = '/backends/db/a';
      await registry.apply({ puts: [{ key, value: '198.18.0.40:5432' }], deletes: [] }, lease, signal);
      await waitFor('the watch', () => events.length === 1);
      expect(await registry.keepAlive(lease, signal)).toBe('alive');
      expect(await registry.leaseTime(lease, signal)).toMatchObject({ grantedMs: 30_000 });
      expect((await registry.fingerprint(signal)).count).toBe(1);
      await registry.revoke(lease, signal);
      await waitFor('the end of it', () => events.length === 2);
      end.abort();
      await watching;
    });
  });

  it('and so do its commands', async () => {
    for (const args of [
      ['put', 'db', '198.18.0.41:5432'],
      ['drain', '198.18.0.41'],
      ['undrain', '198.18.0.41'],
    ]) {
      const { code, output } = await runDaemon('docker-register', args, as('register'));
      expect(code, output).toBe(0);
    }
    await withUser('register', (registry) =>
      registry.apply({ puts: [], deletes: ['/backends/db/198.18.0.41:5432'] }, '0', signal),
    );
    const { output } = await runDaemon('docker-register', ['doctor', '--json'], {
      ...as('register'),
      ...{ HOST_IP: '198.18.0.41', RUN_DIR: file('none') },
    });
    const findings = JSON.parse(output) as { check: string; result: string }[];
    // A warning is that the machine is busy.
    const results = findings.filter(({ check }) => check.startsWith('etcd')).map(({ result }) => result);
    expect(results).toEqual(Array(3).fill(expect.stringMatching(/^(ok|warning)$/)));
  });

  it('docker-discover reads, watches and asks for leases, and can write nothing', async () => {
    await withUser('register', async (writer) => {
      await withUser('discover', async (registry) => {
        const lease = await writer.grantLease(30_000, signal);
        const { revision } = await registry.list(signal);
        const events: WatchEvent[] = [];
        const end = new AbortController();
        const watching = registry.watch(revision, (some) => events.push(...some), end.signal);
        const puts = [{ key: '/backends/db/a', value: '198.18.0.40:5432' }];
        await writer.apply({ puts, deletes: [] }, lease, signal);
        await waitFor('the watch', () => events.length === 1);
        expect((await registry.fingerprint(signal)).count).toBe(1);
        expect(await registry.leaseTime(lease, signal)).toMatchObject({ grantedMs: 30_000 });
        const lacks = /^etcd at .* did not take the registrations: etcd knows this user, who lacks the right/;
        await expect(registry.apply({ puts, deletes: [] }, '0', signal)).rejects.toThrow(lacks);
        await expect(registry.apply({ puts: [], deletes: ['/backends/db/a'] }, '0', signal)).rejects.toThrow(lacks);
        await expect(registry.revoke(lease, signal)).rejects.toThrow(/lacks the right/);
        await writer.revoke(lease, signal);
        end.abort();
        await watching;
      });
    });
  });

  it('docker-register writes nowhere else', async () => {
    await withUser('register', async (_registry, client) => {
      const others = createRegistry({ client, hosts: [etcd.url], keyspace: '/others/' });
      const puts = [{ key: '/others/db/a', value: '198.18.0.40:5432' }];
      await expect(others.apply({ puts, deletes: [] }, '0', signal)).rejects.toThrow(/lacks the right/);
      await expect(others.list(signal)).rejects.toThrow(/lacks the right/);
      await expect(others.watch(1, () => undefined, signal)).rejects.toThrow(
        /did not keep the watch: etcd knows this user, who lacks the right/,
      );
    });
  });
});

describe('one clear error', () => {
  const unknown = /: etcd does not know this user by this password \(authentication failed\); ETCD_USER and/;
  const cases: [string, () => Promise<Record<string, string>>, RegExp][] = [
    ['no user', () => Promise.resolve(env), /: etcd has users, and asks which of them this is|who lacks the right/],
    ['a wrong user', async () => ({ ...as('discover'), ETCD_USER_FILE: await write('nobody', 'nobody') }), unknown],
    [
      'a wrong password',
      async () => ({ ...as('discover'), ETCD_PASSWORD_FILE: await write('wrong', 'wrong') }),
      unknown,
    ],
    [
      'the right user without the right',
      () => Promise.resolve({ ...as('discover'), PREFIX: '/others' }),
      /: etcd knows this user, who lacks the right \(permission denied\): ".*" \(ETCD_USER\) may not read below \/.*\/; `etcdctl role grant-permission ROLE read \/.*\/ --prefix` gives it/,
    ],
  ];
  it.each(cases)('%s', async (_what, settings, message) => {
    const ended = await runDaemon('docker-register', ['drain'], await settings());
    expect(ended.output).toMatch(message);
    expect(ended.output.trimEnd()).toMatch(/^docker-register: etcd at .*$/);
    expect(ended.code).toBe(1);
  });

  const wrong: [string, Record<string, string>, RegExp][] = [
    ['two passwords', { ETCD_USER: 'a', ETCD_PASSWORD: 'b', ETCD_PASSWORD_FILE: '/c' }, /both set: leave one of them/],
    ['a password alone', { ETCD_PASSWORD: 'b' }, /^docker-register: ETCD_PASSWORD is of no use without its user/],
    ['a user alone', { ETCD_USER: 'a' }, /ETCD_USER "a" is of no use without a password/],
    [
      'a file that is not there',
      { ETCD_USER: 'a', ETCD_PASSWORD_FILE: '/none' },
      /FILE "\/none" can't be read: ENOENT/,
    ],
    ['a name twice', { ETCD_USER: 'a', ETCD_USER_FILE: '/c' }, /ETCD_USER and ETCD_USER_FILE are both set: leave one/],
    ['a name in no file', { ETCD_USER_FILE: '/none' }, /ETCD_USER_FILE "\/none" can't be read: ENOENT/],
    [
      'an empty file of a name',
      { ETCD_USER_FILE: '/dev/null' },
      /ETCD_USER_FILE "\/dev\/null" is empty: write the name/,
    ],
    ['an empty file', { ETCD_USER: 'a', ETCD_PASSWORD_FILE: '/dev/null' }, /FILE "\/dev\/null" is empty/],
  ];
  it.each(wrong)('%s', async (_what, settings, message) => {
    const { code, output } = await runDaemon('docker-register', ['drain'], { ETCD_HOST: '127.0.0.1', ...settings });
    expect(output).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('without a password, by the name in the certificate', () => {
  /** Whom etcd takes for that user. */
  async function certified(user: string): Promise<Record<string, string>> {
    const { certificate, key } = await ca.sign([user]);
    return {
      ...{ ETCD_HOST: etcd.url, ETCD_CA: file('ca.pem') },
      ...{ ETCD_CERT: await write(`${user}.pem`, certificate), ETCD_KEY: await write(`${user}.key`, key) },
    };
  }
  const put = ['put', 'by-name', '198.18.0.43:80'];

  it('docker-register writes', async () => {
    const { code, output } = await runDaemon('docker-register', put, await certified('docker-register'));
    expect(code, output).toBe(0);
    const keys = await withUser('register', async (registry) => {
      const { entries } = await registry.list(signal);
      await registry.apply({ puts: [], deletes: ['/backends/by-name/198.18.0.43:80'] }, '0', signal);
      return entries.map(({ key }) => key);
    });
    expect(keys).toContain('/backends/by-name/198.18.0.43:80');
  });

  it('docker-discover reads, and writes nothing', async () => {
    const env = await certified('docker-discover');
    const read = await runDaemon('docker-discover', ['model'], env);
    expect(read.code, read.output).toBe(0);
    const { code, output } = await runDaemon('docker-register', put, env);
    expect(output).toMatch(/: etcd knows this user, who lacks the right \(permission denied\)/);
    expect(code).toBe(1);
  });

  it('one whose name is no user’s reads nothing', async () => {
    const { code, output } = await runDaemon('docker-discover', ['model'], await certified('nobody'));
    expect(output).toMatch(/^docker-discover: etcd at /);
    expect(code).toBe(1);
  });
});

describe('a token that etcd has forgotten', () => {
  it('is renewed for each kind of question', async () => {
    const questions: ((registry: Registry) => Promise<unknown>)[] = [
      (registry) => registry.list(signal),
      (registry) => registry.fingerprint(signal),
      (registry) => registry.apply({ puts: [{ key: '/backends/db/b', value: 'x' }], deletes: [] }, '0', signal),
      async (registry) => {
        const end = new AbortController();
        let isSeen = false;
        const watching = registry.watch(1, () => (isSeen = true), end.signal);
        await Promise.race([watching, waitFor('the watch', () => isSeen)]);
        end.abort();
        await watching;
        expect(isSeen).toBe(true);
      },
      (registry) => registry.apply({ puts: [], deletes: ['/backends/db/b'] }, '0', signal),
      (registry) => registry.revoke('1', signal),
    ];
    await withUser('register', async (registry) => {
      await registry.list(signal);
      for (const question of questions) {
        // It keeps its tokens in its memory.
        await etcd.kill();
        await etcd.start();
        await waitFor('the connection', async () => {
          // Answered without a look at the token.
          return (await registry.keepAlive('1', signal)) === 'lost';
        });
        await question(registry);
      }
    });
  });

  it('is renewed where it has an end that use does not put off', async () => {
    const jwt = `jwt,pub-key=${file('jwt.pub')},priv-key=${file('jwt.key')},sign-method=RS256,ttl=1s`;
    const other = await startEtcd(['--auth-token', jwt]);
    try {
      await other.client.user('root').create('secret');
      await other.client.user('root').addRole('root');
      await other.client.auth.authEnable();
      const user = { name: 'root', password: 'secret' };
      const client = createEtcdClient({ hosts: [other.url], tls: null, user });
      const registry = createRegistry({ client, hosts: [other.url], keyspace: '/backends/' });
      const witness = new Etcd3({ hosts: other.url });
      try {
        await registry.list(signal);
        const { token } = await witness.auth.authenticate({ name: 'root', password: 'secret' });
        const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number };
        await waitFor('its end', () => Date.now() > (claims.exp + 1) * 1_000);
        const end = new AbortController();
        const { revision } = await registry.list(signal);
        await waitFor('its end again', () => Date.now() > (claims.exp + 4) * 1_000);
        const seen: WatchEvent[] = [];
        const watching = registry.watch(revision, (events) => seen.push(...events), end.signal);
        await registry.apply({ puts: [{ key: '/backends/db/a', value: 'x' }], deletes: [] }, '0', signal);
        await Promise.race([watching, waitFor('the event', () => seen.length > 0)]);
        end.abort();
        await watching;
        expect(seen).toHaveLength(1);
      } finally {
        client.close();
        witness.close();
      }
    } finally {
      await other.dispose();
    }
  });
});

describe('daemons that run', () => {
  const running: Daemon[] = [];
  const start = (...args: Parameters<typeof startDaemon>): Daemon => {
    const daemon = startDaemon(...args);
    running.push(daemon);
    return daemon;
  };
  afterAll(async () => {
    for (const daemon of running) daemon.signal('SIGTERM');
    for (const daemon of running) await daemon.ended;
  });

  it('take a new CA, new certificates and a new password from their files, and go on', async () => {
    const template = await write('template', '{{#listeners}}{{#servers}}{{address}} {{/servers}}{{/listeners}}');
    const discover = start('docker-discover', [], {
      ...as('discover'),
      ...{ TEMPLATE: template, OUTPUT: file('output'), EXEC: 'true', LINGER: '0s', STALE: '0s' },
      ...{ RUN_DIR: file('run'), STATE_DIR: file('state') },
    });
    const put = start('docker-register', ['put', 'db', '198.18.0.40:5432', '--hold'], { ...as('register'), TTL: '3s' });
    const written = (text: string): Promise<unknown> =>
      waitFor(JSON.stringify(text), async (seen) => seen(await readFile(file('output'), 'utf8')) === text);
    const told = (daemon: Daemon, message: string): Promise<unknown> =>
      waitFor(message, (seen) => seen(daemon.output()).includes(`"msg":${JSON.stringify(message)}`), {
        timeoutMs: 60_000,
      });
    await written('198.18.0.40:5432 ');

    const before = await readFile(file('client.pem'), 'utf8');
    await write('client.pem', 'words');
    await told(discover, 'a file for etcd can not be used; what was read before holds');
    await write('client.pem', before);
    await told(discover, 'the files for etcd can be used again');

    const next = await authority('the next CA');
    await withUser('root', (_registry, client) =>
      client.call({
        ask: (member, options) =>
          member.auth.userChangePassword({ name: 'docker-discover', password: 'another' }, options),
        signal,
      }),
    );
    await Promise.all([
      writeIdentities(next),
      write('ca.pem', next.certificate),
      write('discover-password', 'another'),
    ]);
    for (const daemon of [discover, put])
      await told(daemon, 'the files for etcd changed; new connections are made with them');
    passwords.discover = 'another';
    await etcd.kill();
    await etcd.start(await accessOf('discover'));
    await withUser('register', (registry) =>
      registry.apply({ puts: [{ key: '/backends/db/b', value: '198.18.0.42:5432' }], deletes: [] }, '0', signal),
    );
    await written('198.18.0.40:5432 198.18.0.42:5432 ');
    put.signal('SIGTERM');
    expect(await put.ended).toBe(0);
    await written('198.18.0.42:5432 ');
  });
});
