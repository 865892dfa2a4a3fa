import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import type { EtcdTls } from '../../src/adapters/etcd/connection.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import { etcdOf } from '../../src/cli/etcd-settings.js';
import { waitFor } from '../lab/wait-for.js';
import { authority, type Authority, type SelfSigned } from './support/certificate.js';
import { runDaemon, startDaemon, type Daemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';

let dir: string;
let ca: Authority;
let stranger: Authority;
let server: SelfSigned;
let client: SelfSigned;
/** It asks its clients for a certificate. */
let etcd: TestEtcd;
let tls: EtcdTls;
let env: Record<string, string>;

const file = (name: string): string => join(dir, name);

async function write(name: string, text: string): Promise<string> {
  await writeFile(file(name), text);
  return file(name);
}

/** etcd reads them anew for each connection. */
async function showAsServer({ certificate, key }: SelfSigned): Promise<void> {
  await Promise.all([write('server.pem', certificate), write('server.key', key)]);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'etcd-tls-'));
  [ca, stranger] = await Promise.all([authority('the CA'), authority('another CA')]);
  [server, client] = await Promise.all([ca.sign(['127.0.0.1', 'etcd.example']), ca.sign(['a-client'])]);
  await showAsServer(server);
  await Promise.all([
    write('ca.pem', ca.certificate),
    write('client.pem', client.certificate),
    write('client.key', client.key),
  ]);
  tls = { ca: ca.certificate, identity: client };
  const certificates = ['--cert-file', file('server.pem'), '--key-file', file('server.key')];
  etcd = await startEtcd([...certificates, '--client-cert-auth', '--trusted-ca-file', file('ca.pem')], tls);
  env = {
    ETCD_HOST: etcd.url,
    ETCD_CA: file('ca.pem'),
    ETCD_CERT: file('client.pem'),
    ETCD_KEY: file('client.key'),
  };
});
afterAll(async () => {
  await etcd.dispose();
  await rm(dir, { recursive: true });
});

describe('over TLS, with a certificate for both sides', () => {
  const running: Daemon[] = [];
  afterAll(async () => {
    for (const daemon of running) {
      daemon.signal('SIGTERM');
      await daemon.ended;
    }
  });
  const start = (...args: Parameters<typeof startDaemon>): Daemon => {
    const daemon = startDaemon(...args);
    running.push(daemon);
    return daemon;
  };

  it('a registration goes from docker-register to docker-discover, and goes again', async () => {
    const template = await write('template', '{{#listeners}}{{#servers}}{{address}} {{/servers}}{{/listeners}}');
    const discover = start('docker-discover', [], {
      ...env,
      ...{ TEMPLATE: template, OUTPUT: file('output'), EXEC: 'true', POLL: '1h', LINGER: '0s' },
      ...{ RUN_DIR: file('run'), STATE_DIR: file('state'), METRICS_BIND: 'none' },
    });
    await waitFor('the first file', async (seen) => seen(await readFile(file('output'), 'utf8')) === '');
    const put = start('docker-register', ['put', 'db', '198.18.0.40:5432', '--hold'], { ...env, TTL: '3s' });
    const written = (text: string): Promise<unknown> =>
      waitFor(JSON.stringify(text), async (seen) => seen(await readFile(file('output'), 'utf8')) === text);
    await written('198.18.0.40:5432 ');
    const rendered = await runDaemon('docker-discover', ['render'], { ...env, TEMPLATE: template });
    expect(rendered).toEqual({ code: 0, output: '198.18.0.40:5432 ' });
    put.signal('SIGTERM');
    await written('');
    // Node warns of the address in the place of a name.
    expect(discover.output() + put.output()).not.toMatch(/deprecat/i);
  });

  it('the commands go the same way', async () => {
    const set = await runDaemon('docker-register', ['put', 'db', '198.18.0.41:5432'], env);
    expect(set.code).toBe(0);
    const drain = await runDaemon('docker-register', ['drain', '198.18.0.41'], env);
    expect(drain.output).toContain('db/198.18.0.41:5432');
    const ls = await runDaemon('docker-register', ['ls'], { ...env, HOST_IP: '198.18.0.41', RUN_DIR: file('none') });
    // It is on no lease of this host.
    expect(ls).toEqual({ code: 0, output: 'nothing is registered for 198.18.0.41 under /backends\n' });
    const { output } = await runDaemon('docker-discover', ['doctor', '--json'], { ...env, RUN_DIR: file('none') });
    const findings = JSON.parse(output) as { check: string; result: string }[];
    const resultsOf = (...checks: string[]): string[] =>
      findings.flatMap(({ check, result }) => (checks.some((one) => check.startsWith(one)) ? [result] : []));
    // A warning is that the machine is busy.
    expect(resultsOf('etcd', 'clock')).toEqual(Array(4).fill(expect.stringMatching(/^(ok|warning)$/)));
  });
});

describe('what is told when it does not come about', () => {
  const reasonWith = async (own: EtcdTls | null, url = etcd.url): Promise<string> => {
    const members = createEtcdClient({ hosts: [url], tls: own });
    try {
      await createRegistry({ client: members, hosts: [url], keyspace: '/backends/' }).list(AbortSignal.timeout(10_000));
      return 'none';
    } catch (error) {
      return (error as Error).message;
    } finally {
      members.close();
    }
  };
  const untrusted = /certificate is not signed by a CA that is trusted here \(.+\); ETCD_CA must be/;
  const schemes = /it breaks off each connection at its start \(.+\); does it speak TLS\?/;
  const refused = /it refuses us \(.*\): it wants a certificate of a client, in ETCD_CERT/;

  it('nothing, where all is well', async () => {
    expect(await reasonWith(tls)).toBe('none');
  });

  it('another CA', async () => {
    expect(await reasonWith({ ...tls, ca: stranger.certificate })).toMatch(untrusted);
  });

  it('no CA, where it is none of the public ones', async () => {
    expect(await reasonWith({ ...tls, ca: null })).toMatch(untrusted);
  });

  it('no certificate of the client', async () => {
    expect(await reasonWith({ ...tls, identity: null })).toMatch(refused);
  });

  it('one that another CA has signed', async () => {
    expect(await reasonWith({ ...tls, identity: await stranger.sign(['a-client']) })).toMatch(refused);
  });

  it('one that has expired', async () => {
    expect(await reasonWith({ ...tls, identity: await ca.sign(['a-client'], -1) })).toMatch(refused);
  });

  it('a member by a name that its certificate does not have', async () => {
    expect(await reasonWith(tls, etcd.url.replace('127.0.0.1', 'localhost'))).toMatch(
      /certificate is for other names than ETCD_HOST has \(Host: localhost\. .*etcd\.example/,
    );
  });

  it('a certificate of etcd that has expired, until it has a new one', async () => {
    await showAsServer(await ca.sign(['127.0.0.1'], -1));
    try {
      expect(await reasonWith(tls)).toMatch(/its certificate has expired; is the clock right here\?/);
    } finally {
      await showAsServer(server);
    }
    expect(await reasonWith(tls)).toBe('none');
  });

  it('http to an etcd with TLS, and https to one without', async () => {
    expect(await reasonWith(null, etcd.url.replace('https', 'http'))).toMatch(schemes);
    const plain = await startEtcd();
    try {
      expect(await reasonWith(tls, plain.url.replace('http', 'https'))).toMatch(schemes);
    } finally {
      await plain.dispose();
    }
  });
});

describe('files that are none', () => {
  const etcdHost = ['https://etcd:2379'];
  const cases: [string, () => Promise<Parameters<typeof etcdOf>[0]>, RegExp][] = [
    [
      'that is not there',
      () => Promise.resolve({ etcdHost, etcdCa: file('none.pem') }),
      /^ETCD_CA ".*none\.pem" can't be read: ENOENT.*one that is mounted$/,
    ],
    [
      'a directory',
      () => Promise.resolve({ etcdHost, etcdCa: dir }),
      /^ETCD_CA ".*" can't be read: EISDIR.*one that is mounted$/,
    ],
    [
      'without a certificate',
      async () => ({ etcdHost, etcdCa: await write('words', 'words') }),
      /^ETCD_CA ".*words" has no certificate in it: give a file in PEM form/,
    ],
    [
      'with a certificate that is cut off',
      async () => ({ etcdHost, etcdCa: await write('cut.pem', ca.certificate.replace(/\n[^-]+/, '\nMII\n')) }),
      /^ETCD_CA ".*cut\.pem" is broken: .+; make the file anew$/,
    ],
    [
      'a certificate without its key',
      () => Promise.resolve({ etcdHost, etcdCert: file('client.pem') }),
      /^ETCD_CERT ".*client\.pem" is of no use without its key: set ETCD_KEY too$/,
    ],
    [
      'a key without its certificate',
      () => Promise.resolve({ etcdHost, etcdKey: file('client.key') }),
      /^ETCD_KEY ".*client\.key" is of no use without its certificate: set ETCD_CERT too$/,
    ],
    [
      'the key of another certificate',
      () => Promise.resolve({ etcdHost, etcdCert: file('client.pem'), etcdKey: file('server.key') }),
      /^ETCD_KEY ".*server\.key" is not the key of the certificate in ETCD_CERT ".*client\.pem"/,
    ],
    [
      'a certificate in the place of its key',
      () => Promise.resolve({ etcdHost, etcdCert: file('client.pem'), etcdKey: file('client.pem') }),
      /^ETCD_KEY ".*client\.pem" has no private key in it/,
    ],
    [
      'an encrypted key',
      async () => ({
        etcdHost,
        etcdCert: file('client.pem'),
        etcdKey: await write('locked.key', client.key.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE')),
      }),
      /^ETCD_KEY ".*locked\.key" is encrypted: give it without a password/,
    ],
    [
      'one that is of no use, as the members are at http',
      () => Promise.resolve({ etcdHost: ['http://etcd:2379'], etcdCa: file('ca.pem') }),
      /^ETCD_CA ".*ca\.pem" is for TLS, and ETCD_HOST has none: give https:\/\/etcd:2379, or leave ETCD_CA out$/,
    ],
  ];
  it.each(cases)('%s', async (_what, settings, message) => {
    await expect(settings().then(etcdOf)).rejects.toThrow(message);
  });

  it.each(['docker-register', 'docker-discover'] as const)('%s ends with 2', async (name) => {
    const { code, output } = await runDaemon(name, [], { ...env, HOST_IP: '198.18.0.20', ETCD_CA: file('none.pem') });
    expect(output).toMatch(new RegExp(`^${name}: ETCD_CA ".*none\\.pem" can't be read: .*\n$`));
    expect(code).toBe(2);
  });
});
