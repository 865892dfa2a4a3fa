import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import type { DiscoverStatus } from '../../src/core/discover-status.js';
import { createClientHosts } from '../../src/daemon/client-hosts.js';
import type { Registry } from '../../src/ports/registry.js';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { startBackEnd } from './support/back-end.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { freePorts } from './support/free-ports.js';
import { createTestLog } from './support/log.js';
import { createSite, type Site, type SiteOptions } from './support/site.js';

const run = promisify(execFile);
const slow = 240_000;
/** What is slower than what was promised by as much is the machine's. */
const slackMs = 1_500;

let etcd: TestEtcd;
let binary: string;
let sites: Site[] = [];

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  etcd = await startEtcd(['--max-txn-ops', '2000']);
}, 600_000);
afterEach(async () => {
  await Promise.all(sites.map((site) => site.dispose()));
  sites = [];
});
afterAll(async () => {
  await etcd.dispose();
});

async function siteWith(env: Record<string, string>, more: Partial<SiteOptions> = {}): Promise<Site> {
  const site = await createSite({ etcd, binary, env, ...more });
  sites.push(site);
  return site;
}

async function ready(site: Site): Promise<void> {
  await waitFor('the daemon to follow etcd', async (seen) => seen((await site.ls()).catalog) === 'live');
}

async function counts(site: Site, clientHosts: number | null): Promise<void> {
  await waitFor(
    `${String(clientHosts)} client hosts to be counted`,
    async (seen) => seen((await site.ls()).checks.clientHosts) === clientHosts,
    { timeoutMs: 100_000, intervalMs: 500 },
  );
}

/** The lines of the file, which may come a moment after HAProxy was told. */
function servers(site: Site, count: number): Promise<string[]> {
  return waitFor(`${String(count)} servers in the file`, async (seen) => {
    const lines = seen((await readFile(join(site.runDir, 'haproxy.cfg'), 'utf8')).match(/^ +server .*$/gm) ?? []);
    return lines.length === count ? lines : null;
  });
}

async function statusOf(site: Site, id: string): Promise<string | undefined> {
  const { listeners }: DiscoverStatus = await site.ls();
  return listeners.flatMap(({ endpoints }) => endpoints).find((endpoint) => endpoint.id === id)?.status;
}

/** How long until HAProxy has taken it out, ms. */
async function outAfter(site: Site, id: string): Promise<number> {
  const startedAt = performance.now();
  await waitFor(`${id} to be out`, async (seen) => /^DOWN/.test(seen(await statusOf(site, id)) ?? ''), {
    timeoutMs: 60_000,
    intervalMs: 50,
  });
  return performance.now() - startedAt;
}

async function isUp(site: Site, id: string, check: RegExp): Promise<void> {
  await waitFor(`${id} to be up by its check`, async (seen) => {
    const endpoints = seen((await site.ls()).listeners).flatMap((listener) => listener.endpoints);
    return endpoints.some((endpoint) => endpoint.id === id && endpoint.status === 'UP' && check.test(endpoint.check));
  });
}

describe('client hosts', () => {
  it(
    'count each other; one that stops is gone at once; many make checks rarer by one reload, which says so',
    async () => {
      const prefix = `/counted-${String(process.pid)}`;
      const clients = `${prefix}-clients/`;
      const keys = async (): Promise<number> => await etcd.client.getAll().prefix(clients).count();
      const [backEnd, other] = [await startBackEnd('a'), await startBackEnd('b')];
      try {
        const ports = await freePorts(8);
        const first = await siteWith({}, { prefix, ports: ports.slice(0, 4) });
        const second = await siteWith({ PORTS: '1' }, { prefix, ports: ports.slice(4) });
        await first.put('web/a', `${backEnd.address}?port=${String(first.port)}`);
        await first.put('own/b', `${other.address}?port=${String(first.otherPort)}&check-interval=1s`);
        first.start();
        await counts(first, 1);
        await first.answers(first.port, 'a');
        await first.answers(first.otherPort, 'b');
        second.start();
        await counts(second, 2);
        expect(await second.stop()).toBe(0);
        expect(await keys()).toBe(1);

        await first.answers(first.port, 'a');
        const before = (await first.ls()).haproxy.reloads;
        expect((await servers(first, 2)).join()).not.toMatch(/inter \d\ds/);
        // In one transaction: a count in their midst would be a reload more.
        const success = Array.from({ length: 1_499 }, (_, n) => ({
          request_put: { key: Buffer.from(`${clients}host-${String(n)}`), value: Buffer.alloc(0) },
        }));
        await etcd.client.kv.txn({ success });
        await counts(first, 1_500);
        const words = /^checks every 20s, over HTTP every 30s: 1500 client hosts, 1 endpoint here$/;
        await waitFor(
          'the reload',
          async (seen) => words.test(seen((await first.ls()).haproxy.lastReload)?.what ?? ''),
          { timeoutMs: 60_000, intervalMs: 200 },
        );
        expect((await first.ls()).haproxy.reloads).toBe(before + 1);
        expect(await servers(first, 2)).toEqual([
          expect.stringMatching(/ server b .* inter 1s .* error-limit 10 /),
          expect.stringMatching(/ server a .* inter 20s .* error-limit 3 /),
        ]);
        await first.answers(first.port, 'a');
        expect((await first.run('ls')).output).toMatch(/^checks every 20s, .*: 1500 client hosts/m);
      } finally {
        await etcd.client.delete().prefix(clients);
        await Promise.all([backEnd.close(), other.close()]);
      }
    },
    slow,
  );

  it(
    'of the last run count for one that starts while etcd is away',
    async () => {
      const prefix = `/restarted-${String(process.pid)}`;
      const clients = `${prefix}-clients/`;
      const site = await siteWith({}, { prefix });
      const backEnd = await startBackEnd('a');
      try {
        const success = Array.from({ length: 600 }, (_, n) => ({
          request_put: { key: Buffer.from(`${clients}host-${String(n)}`), value: Buffer.alloc(0) },
        }));
        await etcd.client.kv.txn({ success });
        await site.put('web/a', `${backEnd.address}?port=${String(site.port)}&check=/`);
        site.start();
        await counts(site, 601);
        const file = join(site.dir, 'state', 'last-known-good.json');
        await waitFor('the number to be saved', async (seen) =>
          seen(await readFile(file, 'utf8')).includes('"clientHosts": 601'),
        );
        expect(await site.stop()).toBe(0);
        site.start({ ETCD_HOST: '127.0.0.1:1' });
        await site.answers(site.port, 'a');
        expect(await servers(site, 1)).toEqual([expect.stringMatching(/ inter 30s /)]);
        expect((await site.run('explain', 'web')).output).toContain(
          'checked over HTTP (/) every 30s, slowed from 2s (601 client hosts',
        );
      } finally {
        await etcd.client.delete().prefix(clients);
        await backEnd.close();
      }
    },
    slow,
  );

  it('that died count until their lease ends', async () => {
    const keyspace = '/dead-clients/';
    const client = createEtcdClient({ hosts: [etcd.url], tls: null });
    const registry = createRegistry({ client, hosts: [etcd.url], keyspace });
    const controller = new AbortController();
    const { log } = createTestLog();
    let isDead = false;
    /** Of a host that is gone, nothing more comes. */
    const whileAlive = <R>(call: () => Promise<R>): Promise<R> => (isDead ? Promise.reject(new Error('dead')) : call());
    const ofDead: Registry = {
      ...registry,
      grantLease: (ttl, signal) => whileAlive(() => registry.grantLease(ttl, signal)),
      keepAlive: (lease, signal) => whileAlive(() => registry.keepAlive(lease, signal)),
      apply: (diff, lease, signal) => whileAlive(() => registry.apply(diff, lease, signal)),
      revoke: () => Promise.resolve(),
    };
    const clientHosts = [ofDead, registry].map((by, n) =>
      createClientHosts({
        registry: by,
        key: `${keyspace}${String(n)}`,
        value: '',
        ttlMs: 3_000,
        everyMs: 400,
        log,
        onChange: () => undefined,
      }),
    );
    const running = clientHosts.map((one) => one.run(controller.signal));
    const [, living] = clientHosts;
    try {
      await waitFor('both to be counted', (seen) => seen(living?.count()) === 2);
      const from = performance.now();
      isDead = true;
      await waitFor('one to be counted', (seen) => seen(living?.count()) === 1, { timeoutMs: 20_000, intervalMs: 50 });
      expect(performance.now() - from).toBeGreaterThan(1_000);
    } finally {
      controller.abort();
      await Promise.all(running);
      client.close();
    }
    expect(await etcd.client.getAll().prefix(keyspace).count()).toBe(0);
  });

  it('that have told their number are not counted, and begin at that pace', async () => {
    const site = await siteWith({ CLIENT_HOSTS: '1000', CHECK_INTERVAL_MAX: '1m' });
    const backEnd = await startBackEnd('a');
    try {
      await site.put('web/a', `${backEnd.address}?port=${String(site.port)}&check=/`);
      site.start();
      await site.answers(site.port, 'a');
      expect(await servers(site, 1)).toEqual([expect.stringMatching(/ inter 1m .* error-limit 3 /)]);
      expect(site.output()).not.toContain('checks every');
      expect((await site.run('render')).output).toMatch(/ inter 1m .* error-limit 3 /);
      const prefix = `/site-${String(site.port)}-clients/`;
      expect(await etcd.client.getAll().prefix(prefix).count()).toBe(0);
    } finally {
      await backEnd.close();
    }
  });
});

describe('of a service whose endpoints Docker looks after', () => {
  it('HTTP checks that would be slowed are of layer 4 instead; all that is asked says so, and an interval that it asks for keeps the kind', async () => {
    const [metricsPort = 0, ...ports] = await freePorts(5);
    const site = await siteWith({ CLIENT_HOSTS: '1000' }, { ports });
    const [a, b, c] = [await startBackEnd('a'), await startBackEnd('b'), await startBackEnd('c')];
    try {
      const watched = 'check=/&check-status=204&healthcheck=24s';
      site.start({ METRICS_BIND: `127.0.0.1:${String(metricsPort)}` });
      // Their number would be one more reason, if they stood there at the start.
      await site.ready();
      await site.put('web/a', `${a.address}?port=${String(site.port)}&${watched}`);
      await site.put('own/b', `${b.address}?port=${String(site.otherPort)}&check=/&healthcheck=24s&check-interval=1s`);
      await site.put('late/c', `${c.address}?port=${String(site.thirdPort)}&check=/&healthcheck=37s`);
      // With its HTTP check, which wants another status, nobody would answer.
      await site.answers(site.port, 'a');
      await isUp(site, 'a', /^L4OK/);
      await isUp(site, 'b', /^L7OK/);
      await isUp(site, 'c', /^L7OK/);
      const why = '1000 client hosts';
      const texts = Object.fromEntries((await site.ls()).listeners.map(({ service, check }) => [service, check?.text]));
      expect(texts).toEqual({
        web: `checked by layer 4 every 10s in place of HTTP (/) every 30s: Docker's HEALTHCHECK looks after all endpoints (${why}); what is dead is out within 13.6s, frozen within 25s`,
        own: 'checked over HTTP (/) every 1s, as the service asks; what is dead or frozen is out within 5.7s',
        late: `checked over HTTP (/) every 30s, slowed from 2s (${why}); what is dead or frozen is out within 37.6s`,
      });
      for (const [service, text] of Object.entries(texts))
        expect((await site.run('explain', service)).output).toContain(`\n${text ?? ''}\n`);
      expect((await site.run('ls')).output).toContain(
        `\nchecks every 10s, over HTTP every 30s, but by layer 4 for 1 listener that Docker's HEALTHCHECK looks after: ${why}\n`,
      );
      const metrics = await (await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`)).text();
      for (const kind of ['tcp"} 0', 'http"} 2', 'docker"} 1'])
        expect(metrics).toContain(`docker_discover_checked_listeners{kind="${kind}`);
    } finally {
      await Promise.all([a.close(), b.close(), c.close()]);
    }
  });

  it('HTTP checks are back when the docker-register of one of them is silent, so that nobody would withdraw it', async () => {
    const site = await siteWith({ CLIENT_HOSTS: '1000' });
    const a = await startBackEnd('a');
    const kind = (): Promise<DiscoverStatus['listeners'][number] | undefined> =>
      site.ls().then(({ listeners }) => listeners[0]);
    try {
      const lease = await etcd.registry.grantLease(3_600_000, AbortSignal.timeout(5_000));
      const key = `/site-${String(site.port)}/web/a`;
      const value = `${a.address}?port=${String(site.port)}&check=/&healthcheck=24s`;
      await etcd.registry.apply({ puts: [{ key, value }], deletes: [] }, lease, AbortSignal.timeout(5_000));
      site.start();
      await isUp(site, 'a', /^L4OK/);
      // To etcd it is what the end of the lease is: its docker-register is silent.
      await etcd.registry.revoke(lease, AbortSignal.timeout(5_000));
      await waitFor('HTTP checks', async (seen) => seen((await kind())?.check?.kind) === 'http', { timeoutMs: 60_000 });
      await isUp(site, 'a', /^L7OK/);
      expect((await kind())?.endpoints).toMatchObject([{ stale: true }]);
      // A worker serves before its reload is over, and told of.
      await waitFor('the reason', () => site.output().includes(`checks of web:${String(site.port)} over HTTP again, since Docker's HEALTHCHECK`)); // prettier-ignore
    } finally {
      await a.close();
    }
  });
});

/** An HTTP server in a process of its own, so that it can be stopped. */
const server = `require('node:http').createServer((_q, r) => r.setHeader('connection', 'close').end('own'))
  .listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;

describe('an endpoint that fails while listeners come and go', () => {
  it(
    'is out within 50 s, though every reload begins its checks anew',
    async () => {
      const site = await siteWith({});
      const ports = await freePorts(20);
      const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
      let another: NodeJS.Timeout | undefined;
      try {
        const [port] = (await once(child.stdout, 'data')) as [Buffer];
        const frozenAt = `127.0.0.1:${port.toString().trim()}`;
        await site.put('http/own', `${frozenAt}?port=${String(site.port)}&check=/`);
        site.start();
        await isUp(site, 'own', /^L7OK/);
        const { reloads } = (await site.ls()).haproxy;
        child.kill('SIGSTOP');
        another = setInterval(() => {
          const next = ports.pop() ?? 0;
          // An address that nobody else has.
          void site.put(`new-${String(next)}/a`, `127.0.0.2:${String(next + 1)}?port=${String(next)}`);
        }, 3_000);
        const tookMs = await outAfter(site, 'own');
        expect(tookMs).toBeLessThan(50_000 + slackMs);
        // It was not for want of reloads: two that are 4.5 s apart leave the time to find it.
        expect((await site.ls()).haproxy.reloads - reloads).toBeGreaterThanOrEqual(Math.floor(tookMs / 4_500) - 1);
      } finally {
        clearInterval(another);
        child.kill('SIGKILL');
      }
    },
    slow,
  );
});

describe('an endpoint that fails while checks are slowed', () => {
  const intervalMs = 8_000;
  /** The longest time from one check to the next, and from a doubt to its check: HAProxy adds up to a tenth. */
  const [interMs, fastMs] = [1.1 * intervalMs, 1.1 * 500];
  const checkTimeoutMs = 2_000;

  it('is out within the interval, a tenth of it, and what two checks take; with traffic after three connections', async () => {
    const site = await siteWith({ CLIENT_HOSTS: '1000000', CHECK_INTERVAL_MAX: `${String(intervalMs / 1000)}s` });
    const [a, b, c] = [await startBackEnd('a'), await startBackEnd('b'), await startBackEnd('c')];
    const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      const frozenAt = `127.0.0.1:${port.toString().trim()}`;
      await site.put('web/a', `${a.address}?port=${String(site.port)}`);
      await site.put('web/b', `${b.address}?port=${String(site.port)}`);
      await site.put('used/c', `${c.address}?port=${String(site.otherPort)}`);
      await site.put('http/own', `${frozenAt}?port=${String(site.thirdPort)}&check=/`);
      site.start();
      await site.answers(site.port, 'a', 'b');
      await isUp(site, 'own', /^L7OK/);
      await isUp(site, 'b', /^L4OK/);

      // Without traffic: connections that are refused, and an answer that does not come.
      await b.close();
      expect(await outAfter(site, 'b')).toBeLessThan(interMs + fastMs + slackMs);
      child.kill('SIGSTOP');
      expect(await outAfter(site, 'own')).toBeLessThan(interMs + fastMs + 2 * checkTimeoutMs + slackMs);

      // With it: nobody waits for a check. A new endpoint is beside the one that dies.
      const d = await startBackEnd('d');
      await site.put('used/d', `${d.address}?port=${String(site.otherPort)}`);
      await site.answers(site.otherPort, 'c', 'd');
      await c.close();
      for (let n = 0; n < 8; n += 1) expect(await site.get(site.otherPort)).toBe('d');
      expect(await statusOf(site, 'd')).toMatch(/^UP/);
      const { listeners } = await site.ls();
      const used = listeners.find(({ service }) => service === 'used')?.endpoints.find(({ id }) => id === 'c');
      expect(used).toMatchObject({
        status: expect.stringMatching(/^DOWN/) as string,
        check: expect.any(String) as string,
      });
      expect(used?.checkText).toMatch(/health analyze|connection|refused|Layer4/i);
      await d.close();
    } finally {
      child.kill('SIGKILL');
      await a.close();
    }
  });

  it('from the beginning is out at once; right after a reload, as soon as with few hosts', async () => {
    const site = await siteWith({ CLIENT_HOSTS: '1000000' });
    const [a, nobody] = [await startBackEnd('a', '0.0.0.0'), await freePorts(1)];
    let closed: Promise<void> | null = null;
    const closeAll = (): Promise<void> => (closed ??= a.close());
    try {
      // All of 127.0.0.0/8 is this machine.
      for (let n = 10; n < 30; n += 1)
        await site.put(`web/${String(n)}`, `127.0.0.${String(n)}:${String(a.port)}?port=${String(site.port)}`);
      site.start();
      await site.answers(site.port, 'a');
      expect((await servers(site, 20)).join()).toContain(' inter 30s ');
      await site.put('web/dead', `127.0.0.1:${nobody.join()}?port=${String(site.port)}`);
      await waitFor('the endpoint', async (seen) => seen(await statusOf(site, 'dead')) !== undefined);
      expect(await outAfter(site, 'dead')).toBeLessThan(fastMs + slackMs);

      await waitFor('all to be well', async (seen) => {
        const [web] = (await site.ls()).listeners;
        return seen(web?.endpoints.map(({ status }) => status))?.filter((status) => status === 'UP').length === 20;
      });
      await site.put('a/a', `127.0.0.1:${String(a.port)}?port=${String(site.otherPort)}`);
      await site.reloadEnded(`a:${String(site.otherPort)}`);
      await closeAll();
      // By themselves, their checks would begin one after the other within 30 s.
      expect(await outAfter(site, '29')).toBeLessThan(5_000 + fastMs + slackMs);
    } finally {
      await closeAll();
    }
  });
});

describe('with a user of etcd', () => {
  it(
    'that may only read the registrations, everything works but the count, as one line says; and that too with the right of the docs',
    async () => {
      const dir = await mkdtemp(join(tmpdir(), 'checks-'));
      const secured = await startEtcd(['--auth-token-ttl', '3600']);
      const backEnd = await startBackEnd('a');
      try {
        for (const who of ['register', 'discover', 'root']) await writeFile(join(dir, `${who}-password`), who);
        const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
        const [, commands = ''] = /```sh\n(etcdctl role add.*?)```/s.exec(page) ?? [];
        const [grant = ''] = /^etcdctl role grant-permission docker-discover readwrite .*$/m.exec(commands) ?? [];
        expect(grant).not.toBe('');
        const env = { PATH: process.env['PATH'], ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: secured.url };
        const site = await siteWith(
          { ETCD_USER: 'docker-discover', ETCD_PASSWORD_FILE: join(dir, 'discover-password') },
          { etcd: secured, prefix: '/backends' },
        );
        await site.put('web/a', `${backEnd.address}?port=${String(site.port)}`);
        await run('bash', ['-euc', commands.replace(`${grant}\n`, '')], { cwd: dir, env });
        site.start();
        await site.answers(site.port, 'a');
        await ready(site);
        const words = 'client hosts can not be counted; checks go by the last count, or by one';
        await waitFor('the line', (seen) => seen(site.told(words)) === 1);
        expect(site.output()).toContain('"key":"/backends-clients/');
        expect(site.output()).toContain('did not take the key of this client host: ');
        expect((await site.ls()).checks).toEqual({
          tcpMs: 5_000,
          httpMs: 2_000,
          because: null,
          byDocker: [],
          clientHosts: null,
        });
        await run('bash', ['-euc', grant], { cwd: dir, env: { ...env, ETCDCTL_USER: 'root:root' } });
        await counts(site, 1);
        expect(site.told(words)).toBe(1);
        await waitFor('the end of it', () => site.told('client hosts can be counted again') === 1, {
          timeoutMs: 100_000,
        });
        expect(await site.stop()).toBe(0);
      } finally {
        await backEnd.close();
        await secured.dispose();
        await rm(dir, { recursive: true });
      }
    },
    slow,
  );
});
