import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLab, type EngineHost, type Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { startEngineProxy } from './support/engine-proxy.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import {
  createRegisters,
  entriesOf,
  standing,
  watchKeys,
  type KeyWatch,
  type Registers,
} from './support/registering.js';

let lab: Lab;
let host: EngineHost;
let other: EngineHost;
let etcd: TestEtcd;
let registers: Registers;
let watch: KeyWatch;
const signal = new AbortController().signal;

beforeAll(async () => {
  etcd = await startEtcd();
  lab = await startLab({ log: console.log });
  [host, other] = lab.backends;
}, 900_000);
afterAll(async () => {
  await lab.stop();
  await etcd.dispose();
});

beforeEach(async () => {
  await etcd.client.delete().prefix('/backends');
  registers = createRegisters(etcd);
  watch = await watchKeys(etcd);
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    console.log(registers.output(), watch.changes, await host.run('docker ps -a --no-trunc'));
  await registers.stop();
  await watch.stop();
  await Promise.all([host, other].map((one) => one.run('docker ps -aq | xargs -r docker rm -f -v')));
});

/** Starts a container; returns the first 12 digits of its id. */
async function run(...args: string[]): Promise<string> {
  return (await host.docker('run', '-d', ...args)).slice(0, 12);
}

function keysAre(what: string, expected: () => readonly string[]): Promise<unknown> {
  return waitFor(what, async (seen) => {
    const ids = seen(Object.keys(await standing(etcd)).map((key) => key.replace('whoami/', '')));
    return JSON.stringify(ids.sort()) === JSON.stringify([...expected()].sort());
  });
}

describe('two docker-registers', () => {
  it('with the same HOST_IP warn, and neither deletes a key of the other', async () => {
    const here = await run('-p', '8000:8000', 'whoami');
    const there = (await other.docker('run', '-d', '-p', '8001:8000', 'whoami')).slice(0, 12);
    const env = { HOST_IP: host.ip, RESYNC: '1s', TTL: '15s' };
    const daemons = [await registers.start(host, env), await registers.start(other, env)];
    for (const daemon of daemons)
      await waitFor('the warning', () => daemon.output().includes('another docker-register has the same HOST_IP'));
    await keysAre('both keys', () => [here, there]);
    const lines = watch.changes.length;
    const until = performance.now() + 4_000;
    await waitFor('several resyncs', () => performance.now() > until);
    expect(watch.changes.slice(lines)).toEqual([]);
    expect(watch.changes.filter((change) => change.endsWith('gone'))).toEqual([]);
    // The one that dies leaves nothing behind: what it held goes with its lease, and not before.
    daemons[1]?.signal('SIGKILL');
    await keysAre('only our own', () => [here]);
  });
});

describe('killed at random, while containers come and go,', () => {
  it('docker-register never deletes a key of a container that lives, and leaves none of one that died', async () => {
    const steady = await run('-p', ':8000', 'whoami');
    let alive: string[] = [];
    // A fixed sequence (Park and Miller), so that a failure can be played again.
    let seed = 4_711;
    const below = (most: number): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed % most;
    };
    for (let kill = 0; kill < 6; kill += 1) {
      const daemon = await registers.start(host, { TTL: '24s' });
      const started = run('-p', ':8000', 'whoami');
      const [oldest] = alive;
      if (oldest !== undefined && below(2) === 0) {
        await host.docker('rm', '-f', oldest);
        alive = alive.slice(1);
      }
      const until = performance.now() + below(400);
      await waitFor('the moment', () => performance.now() > until, { intervalMs: 5 });
      daemon.signal('SIGKILL');
      await daemon.ended;
      alive.push(await started);
    }
    await registers.start(host, { TTL: '24s' });
    await keysAre('the keys of what runs', () => [steady, ...alive]);
    expect(watch.of(steady)).not.toContain('gone');
  }, 120_000);
});

describe('what Docker does', () => {
  it('restart in a loop: the container is kept out, told of once, and is back when it holds', async () => {
    const daemon = await registers.start(host, { CHANGE_RATE: '0.1' });
    const id = await run('-p', '8000:8000', 'whoami');
    await keysAre('its key', () => [id]);
    await host.run(`for i in 1 2 3 4 5 6 7 8 9 10; do docker kill ${id}; docker start ${id}; done`);
    // Five rounds at the most were free, and one every twenty seconds since; each writes ready, drain and gone.
    expect(watch.of(id).length).toBeLessThan(26);
    await keysAre('its return', () => [id]);
    const warnings = daemon.output().split('comes and goes too often; kept out meanwhile').length - 1;
    expect(warnings).toBe(1);
    // To go, it waits for nothing.
    await host.docker('rm', '-f', id);
    await keysAre('its end', () => []);
  });

  it('a container that dies for lack of memory is withdrawn like every dead one', async () => {
    await registers.start(host);
    const id = await run(
      '-p',
      '8000:8000',
      '-m',
      '16m',
      'whoami',
      '/bin/busybox',
      'sh',
      '-c',
      'while [ ! -e /go ]; do /bin/busybox sleep 0.1; done; exec /bin/busybox tail /dev/zero',
    );
    await keysAre('its key', () => [id]);
    await host.docker('exec', id, '/bin/busybox', 'touch', '/go');
    await keysAre('its end', () => []);
    // Docker hears of it by an event of its own.
    await waitFor(
      'the reason',
      async (seen) => seen(await host.docker('inspect', '-f', '{{.State.OOMKilled}}', id)) === 'true',
    );
  });

  it('two hundred containers are started and killed as fast as Docker can: no key is left', async () => {
    // A machine that has so much to do may keep no lease of 5 s alive, and then each key goes twice.
    await registers.start(host, { TTL: '60s' });
    const count = 200;
    const numbers = Array.from({ length: count }, (_, i) => i + 1).join(' ');
    await host.run(`echo ${numbers} | xargs -n 1 -P 8 sh -c 'docker run -d -p :8000 whoami >/dev/null'`, {
      timeoutMs: 300_000,
    });
    await waitFor('all keys', async (seen) => seen(Object.keys(await standing(etcd)).length) === count);
    await host.run('docker ps -q | xargs -P 4 -n 10 docker kill', { timeoutMs: 120_000 });
    await keysAre('the end of all', () => []);
    // The watch tells a moment later than a look at etcd.
    const gone = (): number => watch.changes.filter((change) => change.endsWith('gone')).length;
    await waitFor('the watch to tell of each', (seen) => seen(gone()) >= count);
    expect(gone()).toBe(count);
  }, 480_000);

  it('a container takes over the host port of one that died: the address never stands under two keys', async () => {
    await registers.start(host);
    for (let i = 0; i < 4; i += 1) {
      const id = await run('-p', '8000:8000', 'whoami');
      await keysAre('its key', () => [id]);
      await host.docker('rm', '-f', id);
    }
    await keysAre('the end', () => []);
    const live = new Set<string>();
    let most = 0;
    for (const change of watch.changes) {
      const [key = '', value] = change.split(' ');
      if (value === 'gone') live.delete(key);
      else live.add(key);
      most = Math.max(most, live.size);
    }
    expect(most).toBe(1);
  });
});

describe('an event stream', () => {
  it('that is cut is opened again, and one that falls silent is replaced', async () => {
    const proxy = await startEngineProxy(`${host.root}/run/docker.sock`);
    try {
      const daemon = await registers.start(host, { DOCKER_HOST: proxy.url, RESYNC: '5s' });
      await waitFor('the stream', () => proxy.streams() === 1);
      proxy.cutEvents();
      await waitFor('the next stream', () => proxy.streams() === 2);
      proxy.muteEvents();
      const missed = await run('-p', '8000:8000', 'whoami');
      await keysAre('what was missed', () => [missed]);
      // Told by an event of the new stream, long before the next look at everything.
      const lines = daemon.output().split('stop announced').length;
      await host.docker('kill', missed);
      await keysAre('the kill', () => []);
      expect(daemon.output().split('stop announced').length).toBe(lines + 1);
    } finally {
      await proxy.close();
    }
  });
});

describe('a container about which Docker is silent', () => {
  it('holds up no other, and keeps its key over a restart of docker-register', async () => {
    const proxy = await startEngineProxy(`${host.root}/run/docker.sock`);
    try {
      const silent = await run('-p', '8000:8000', 'whoami');
      const env = { DOCKER_HOST: proxy.url, TTL: '60s' };
      await registers.start(host, env);
      await keysAre('its key', () => [silent]);
      await registers.stop();
      proxy.silence(silent);
      await registers.start(host, env);
      const later = await run('-p', '8001:8000', 'whoami');
      await keysAre('the other', () => [silent, later]);
      await host.docker('kill', later);
      await keysAre('its end', () => [silent]);
      expect(watch.of(silent)).not.toContain('gone');
    } finally {
      await proxy.close();
    }
  });
});

describe('an engine', () => {
  it('that is killed and restarted, with live-restore, costs no key of a container that runs on', async () => {
    await host.run(`sed -i 's/^{/{"live-restore":true,/' /run/lab/daemon.json`);
    await host.restartEngine();
    try {
      await registers.start(host, { RESYNC: '1s' });
      const id = await run('-p', '8000:8000', 'whoami');
      await keysAre('its key', () => [id]);
      await host.restartEngine();
      await host.engine.kill();
      await host.engine.start();
      const next = await run('-p', '8001:8000', 'whoami');
      await keysAre('both', () => [id, next]);
      expect(watch.of(id)).toEqual([`${host.ip}:8000?port=8000`]);
    } finally {
      await host.run('docker ps -aq | xargs -r docker rm -f -v');
      await host.run(`sed -i 's/"live-restore":true,//' /run/lab/daemon.json`);
      await host.restartEngine();
    }
  });
});

describe('a lease', () => {
  it('that was lost while a container died: the client hosts are told of its end', async () => {
    const stays = await run('-p', '8000:8000', 'whoami');
    const dies = await run('-p', '8001:8000', 'whoami');
    const daemon = await registers.start(host, { TTL: '3s' });
    await keysAre('both', () => [stays, dies]);
    const [entry] = await entriesOf(etcd);
    daemon.signal('SIGSTOP');
    await etcd.registry.revoke(entry?.lease ?? '', signal);
    await host.docker('rm', '-f', dies);
    daemon.signal('SIGCONT');
    await keysAre('the one that stays', () => [stays]);
    await waitFor('the withdrawal', () => watch.of(dies).length === 4);
    const value = `${host.ip}:8001?port=8000`;
    expect(watch.of(dies)).toEqual([value, 'gone', `${value}&state=drain`, 'gone']);
  });
});
