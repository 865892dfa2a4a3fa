import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HeldEntry } from '../../src/ports/registry.js';
import { startLab, type EngineHost, type Lab } from '../lab/lab.js';
import { eventTimeOf, withoutTime } from '../../src/core/keyspace.js';
import { waitFor } from '../lab/wait-for.js';
import { runDaemon, startDaemon, type Daemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { freePorts } from './support/free-ports.js';

let lab: Lab;
let host: EngineHost;
let etcd: TestEtcd;
let dir: string;
let env: Record<string, string>;
let daemon: Daemon | null;
const signal = new AbortController().signal;

beforeAll(async () => {
  etcd = await startEtcd();
  lab = await startLab({ log: console.log });
  host = lab.backends[0];
  await host.run('docker build -q -t healthy -', {
    input: 'FROM whoami\nHEALTHCHECK --interval=1s --retries=1 CMD ["/bin/busybox", "test", "-e", "/well"]\n',
  });
}, 900_000);
afterAll(async () => {
  await lab.stop();
  await etcd.dispose();
});

beforeEach(async () => {
  await etcd.client.delete().prefix('/backends');
  dir = await mkdtemp(join(tmpdir(), 'reg-'));
  daemon = null;
  env = {
    HOST_IP: host.ip,
    ETCD_HOST: etcd.host,
    DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
    RUN_DIR: dir,
    LOG_LEVEL: 'debug',
    TTL: '5s',
  };
});
afterEach(async () => {
  await stop();
  await host.run('docker ps -aq | xargs -r docker rm -f -v');
  await rm(dir, { recursive: true, force: true });
});

async function start(more: Record<string, string> = {}): Promise<Daemon> {
  const started = startDaemon('docker-register', [], { ...env, ...more });
  daemon = started;
  await waitFor('docker-register to be ready', () => started.output().includes('lease granted'));
  return started;
}

async function stop(): Promise<number | null> {
  const running = daemon;
  daemon = null;
  running?.signal('SIGTERM');
  return (await running?.ended) ?? null;
}

/** Starts a container; returns the first 12 digits of its id. */
async function run(...args: string[]): Promise<string> {
  return (await host.docker('run', '-d', ...args)).slice(0, 12);
}

async function entries(): Promise<readonly HeldEntry[]> {
  return (await etcd.registry.list(signal)).entries;
}

async function standing(): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await entries()).map(({ key, value }) => [key.replace('/backends/', ''), withoutTime(value)]),
  );
}

function registered(
  what: string,
  expected: () => Record<string, string> | Promise<Record<string, string>>,
): Promise<unknown> {
  return waitFor(what, async (seen) => {
    const [now, wanted] = [seen(await standing()), await expected()];
    return JSON.stringify(Object.entries(now).sort()) === JSON.stringify(Object.entries(wanted).sort());
  });
}

async function hostPort(container: string, port: string): Promise<string> {
  const [first = ''] = (await host.docker('port', container, port)).split('\n');
  return first.split(':').at(-1) ?? '';
}

describe('docker-register', () => {
  it('registers what ran before it, what starts later, and removes what goes', async () => {
    const before = await run('-p', '8000:8000', 'whoami');
    await start();
    const first = { [`whoami/${before}`]: `${host.ip}:8000?port=8000` };
    await registered('the container that ran before', () => first);
    const later = await run('-p', ':8000', 'whoami');
    const random = await hostPort(later, '8000/tcp');
    await registered('the one that started later', () => ({
      ...first,
      [`whoami/${later}`]: `${host.ip}:${random}?port=8000`,
    }));
    await host.docker('kill', before);
    await registered('the kill', () => ({ [`whoami/${later}`]: `${host.ip}:${random}?port=8000` }));
    await host.docker('stop', later);
    await registered('the stop', () => ({}));
  });

  it('puts the time of the event with what it led to, and measures', async () => {
    const [metricsPort = 0] = await freePorts(1);
    const bind = `127.0.0.1:${String(metricsPort)}`;
    const metrics = async (path: string): Promise<string> => (await fetch(`http://${bind}/${path}`)).text();
    await start({ METRICS_BIND: bind });
    const startedAt = Date.now();
    // It has no handler for its stop signal: it stops when it is killed, and not before its announcement is in etcd.
    const id = await run('-p', '8000:8000', '--stop-signal', 'SIGUSR1', 'whoami');
    await registered('the container', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000` }));
    await run('-p', '9000:9000', '-l', 'SERVICE_IGNORE=yes', 'whoami');
    const [{ value } = { value: '' }] = await entries();
    const atMs = eventTimeOf(value) ?? 0;
    expect(atMs).toBeGreaterThanOrEqual(startedAt);
    expect(atMs).toBeLessThanOrEqual(Date.now());
    await waitFor('the one that is left out', async (seen) =>
      seen(await metrics('metrics')).includes('docker_register_skipped{reason="ignored"} 1'),
    );
    const text = await metrics('metrics');
    expect(text).toContain('docker_register_registration_delay_seconds_count 1');
    expect(text).toContain('docker_register_events_total{action="start"} 2');
    expect(text).toContain('docker_register_key_changes_total{change="put"} 1');
    expect(text).toContain('docker_register_registrations 1');
    expect(text).toContain('docker_register_containers 2');
    expect(text).toContain('docker_register_lease_held 1');
    expect(text).toMatch(/^docker_register_lease_unconfirmed_seconds [0-5]\./m);
    expect(await metrics('readyz')).toBe('ready: registered under a lease\n');
    const stopped = host.docker('stop', '-t', '30', id);
    await registered('the announcement', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000&state=drain` }));
    await host.docker('kill', id);
    await stopped;
    await registered('the stop', () => ({}));
    // The announcement has a time of its own.
    await waitFor('both to be measured', async (seen) =>
      seen(await metrics('metrics')).includes('docker_register_registration_delay_seconds_count 2'),
    );
  });

  it('registers every TCP port of a container, and skips UDP with a reason in the debug log', async () => {
    const started = await start();
    const id = await run('-p', '8000:8000', '-p', '9000:9001', '-p', '9002:9002/udp', 'whoami');
    await registered('both ports', () => ({
      [`whoami/${id}:8000`]: `${host.ip}:8000?port=8000`,
      [`whoami/${id}:9001`]: `${host.ip}:9000?port=9001`,
    }));
    await waitFor('the reason', () => started.output().includes('only TCP is proxied, and this is UDP'));
  });

  it('announces a stop with state=drain before the container is gone', async () => {
    await start();
    // Ignores SIGTERM, so that the stop takes its time.
    const id = await run(
      '-p',
      '8000:8000',
      'whoami',
      '/bin/busybox',
      'sh',
      '-c',
      "trap '' TERM; /bin/busybox httpd -f -p 8000",
    );
    await registered('the container', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000` }));
    const stopping = host.docker('stop', '-t', '4', id);
    await registered('the drain', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000&state=drain` }));
    await stopping;
    await registered('the end', () => ({}));
    await host.docker('start', id);
    await registered('the new start', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000` }));
  });

  it('withdraws a paused container, and an unhealthy one, and takes them back', async () => {
    await start();
    const paused = await run('-p', '8000:8000', 'whoami');
    const one = { [`whoami/${paused}`]: `${host.ip}:8000?port=8000` };
    await registered('the container', () => one);
    await host.docker('pause', paused);
    await registered('the pause', () => ({}));
    await host.docker('unpause', paused);
    await registered('the end of the pause', () => one);

    const id = await run('-p', '8001:8000', 'healthy');
    await waitFor('docker-register to have looked', () => daemon?.output().includes('its HEALTHCHECK') === true);
    expect(await standing()).toEqual(one);
    const well = { ...one, [`healthy/${id}`]: `${host.ip}:8001?port=8000` };
    await host.docker('exec', id, '/bin/busybox', 'touch', '/well');
    await registered('it to be well', () => well);
    await host.docker('exec', id, '/bin/busybox', 'rm', '/well');
    await registered('it to be unwell', () => one);
  });

  it('leaves out its own pair, ports on loopback and ports that are not published', async () => {
    const started = await start();
    await run('--label', 'docker-discover.pair=discover', '-p', '8001:8000', 'whoami');
    await run('-p', '127.0.0.1:8002:8000', 'whoami');
    await run('whoami');
    const seen = await run('-p', '8003:8000', 'whoami');
    await registered('only the one', () => ({ [`whoami/${seen}`]: `${host.ip}:8003?port=8000` }));
    for (const reason of [
      'it is part of the pair itself',
      'published on loopback only',
      'it is exposed, but not published',
    ]) {
      await waitFor(`the reason: ${reason}`, () => started.output().includes(reason));
    }
  });

  it('registers a named host address, and exposed ports on the host network', async () => {
    await start();
    const named = await run('-p', `${host.ip}:8004:8000`, 'whoami');
    const onHost = await run('--net', 'host', 'whoami');
    await registered('both', () => ({
      [`whoami/${named}`]: `${host.ip}:8004?port=8000`,
      [`whoami/${onHost}`]: `${host.ip}:8000?port=8000`,
    }));
  });

  it('names services as it is told', async () => {
    const id = await run('-p', '8000:8000', '--label', 'team=Web', '-e', 'APP=shop', 'whoami');
    const value = `${host.ip}:8000?port=8000`;
    await start({ NAME_BY: 'label:team' });
    await registered('the label', () => ({ [`web/${id}`]: value }));
    await stop();
    await start({ NAME_BY: 'env:APP' });
    await registered('the variable', () => ({ [`shop/${id}`]: value }));
  });
});

describe('over its own restart', () => {
  it('puts the same keys under its new lease, and removes what went meanwhile before its lease ends', async () => {
    const [stays, goes] = [await run('-p', '8000:8000', 'whoami'), await run('-p', '8001:8000', 'whoami')];
    await start({ TTL: '16s' });
    await waitFor('both', async () => (await entries()).length === 2);
    const before = (await entries()).find(({ key }) => key.endsWith(stays));
    await etcd.client.put('/backends/by-hand/db').value(`${host.ip}:5432`);
    expect(await stop()).toBe(0);
    expect(await entries()).toHaveLength(3);
    await host.docker('rm', '-f', goes);
    await start({ TTL: '16s' });
    await registered('the one that stays and the one by hand', () => ({
      [`whoami/${stays}`]: `${host.ip}:8000?port=8000`,
      'by-hand/db': `${host.ip}:5432`,
    }));
    // Not by expiry: nobody keeps the lease alive, and that shows when half of it is over.
    expect(await etcd.registry.leaseTime(before?.lease ?? '', signal)).not.toBeNull();
    const after = (await entries()).find(({ key }) => key.endsWith(stays));
    expect(after?.createRevision).toBe(before?.createRevision);
    expect(after?.lease).not.toBe(before?.lease);
  });

  it('withdraws at its end where it is told to', async () => {
    await run('-p', '8000:8000', 'whoami');
    await start({ WITHDRAW_ON_EXIT: 'yes', TTL: '1h' });
    await waitFor('the key', async () => (await entries()).length === 1);
    const lease = (await entries())[0]?.lease ?? '';
    expect(await stop()).toBe(0);
    expect(await entries()).toEqual([]);
    // By deletion, while the lease lives: that is how client hosts tell it from a host that died.
    expect(await etcd.registry.leaseTime(lease, signal)).not.toBeNull();
  });
});

describe('when something fails', () => {
  it('puts everything again under a new lease when the lease was revoked', async () => {
    const id = await run('-p', '8000:8000', 'whoami');
    await start({ TTL: '3s' });
    await registered('the key', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000` }));
    const [entry] = await entries();
    await etcd.registry.revoke(entry?.lease ?? '', signal);
    await registered('the key again', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000` }));
    expect((await entries())[0]?.lease).not.toBe(entry?.lease);
  });

  it('keeps the keys alive beyond the TTL', async () => {
    const id = await run('-p', '8000:8000', 'whoami');
    await start({ TTL: '3s' });
    await registered('the key', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000` }));
    const [entry] = await entries();
    const until = performance.now() + 6_000;
    await waitFor('twice the TTL', () => performance.now() > until);
    expect(await entries()).toEqual([entry]);
  });

  it('keeps the keys while the engine is silent, and catches up when it answers', async () => {
    const id = await run('-p', '8000:8000', 'whoami');
    await start({ RESYNC: '1s', TTL: '3s' });
    const key = { [`whoami/${id}`]: `${host.ip}:8000?port=8000` };
    await registered('the key', () => key);
    await host.engine.pause();
    try {
      await waitFor('the silence to be told', () => daemon?.output().includes('no answer in 10s') === true);
      expect(await standing()).toEqual(key);
    } finally {
      await host.engine.resume();
    }
    await host.docker('kill', id);
    await registered('the kill', () => ({}));
  });

  it('follows the engine over its restart', async () => {
    await run('-p', '8000:8000', 'whoami');
    await start();
    await waitFor('the key', async () => (await entries()).length === 1);
    await host.restartEngine();
    await registered('the end of the container', () => ({}));
    const id = await run('-p', '8000:8000', 'whoami');
    await registered('the new container', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000` }));
  });

  it('puts right by resync what was deleted or altered by hand', async () => {
    const id = await run('-p', '8000:8000', 'whoami');
    await start({ RESYNC: '1s' });
    const key = { [`whoami/${id}`]: `${host.ip}:8000?port=8000` };
    await registered('the key', () => key);
    await etcd.client.delete().key(`/backends/whoami/${id}`);
    await registered('the key again', () => key);
    await etcd.client.put(`/backends/whoami/${id}`).value('10.9.9.9:1');
    await registered('the right value again', () => key);
  });

  it('registers what changed while etcd was away', async () => {
    await start();
    await etcd.kill();
    const id = await run('-p', '8000:8000', 'whoami');
    await etcd.start();
    await registered('the container', () => ({ [`whoami/${id}`]: `${host.ip}:8000?port=8000` }));
  });
});

describe('docker-register ls', () => {
  it('prints what is registered for this host as a table and as JSON', async () => {
    const id = await run('-p', '8000:8000', 'whoami');
    await start();
    await waitFor('the key', async () => (await entries()).length === 1);
    await etcd.client.put('/backends/whoami/0123456789ab').value('10.9.9.9:80');
    const table = await runDaemon('docker-register', ['ls'], env);
    expect(table.output).toMatch(/^SERVICE +ID +ADDRESS +SERVICE PORT +STATE +LEASE LEFT\nwhoami +/);
    expect(table.output).toMatch(new RegExp(`whoami +${id} +${host.ip}:8000 +8000 +ready +\\d+s\\n$`));
    const json = await runDaemon('docker-register', ['ls', '--json'], env);
    expect(JSON.parse(json.output)).toEqual([
      {
        service: 'whoami',
        id,
        address: `${host.ip}:8000`,
        port: 8000,
        state: 'ready',
        ttlMs: expect.any(Number) as number,
        signedBy: null,
        key: `/backends/whoami/${id}`,
        value: `${host.ip}:8000?port=8000`,
      },
    ]);
    expect(await runDaemon('docker-register', ['healthcheck'], env)).toEqual({ code: 0, output: '' });
    // By its id it could be of any host.
    await run('-p', '8001:8000', '-l', 'SERVICE_ID=named', 'whoami');
    await waitFor('the key', async () => (await entries()).some(({ key }) => key.endsWith('/named')));
    const named = await runDaemon('docker-register', ['ls'], env);
    expect(named.output).toMatch(new RegExp(`whoami +named +${host.ip}:8001 +8000 +ready`));
  });
});
