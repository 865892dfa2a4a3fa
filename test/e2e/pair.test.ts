import { beforeEach, describe, expect, it } from 'vitest';
import type { EngineHost, Lab } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { killing, startTraffic } from '../lab/demo/traffic.js';
import {
  answeredBy,
  answers,
  discoverReady,
  keys,
  ls,
  runDiscover,
  startDiscover,
  startRegister,
  startWhoami,
} from './support/pair.js';
import { useLab } from './support/use-lab.js';

const currentLab = useLab();
let lab: Lab;
let client: EngineHost;
let backend1: EngineHost;
let backend2: EngineHost;

beforeEach(() => {
  lab = currentLab();
  client = lab.client;
  [backend1, backend2] = lab.backends;
});

const page = async (path = '/'): Promise<string> =>
  (await client.run(`curl -sS --fail --max-time 5 ${client.ip}:1936${path}`)).stdout;

describe('the story', () => {
  it('goes from two endpoints on two hosts to four, and to one when three are killed, without losing a request but those in hand', async () => {
    const one = await startWhoami(backend1, { options: '--name whoami -p 8000:8000' });
    const two = await startWhoami(backend2, { options: '--name whoami -p 8000:8000' });
    await startRegister(lab, backend1);
    await startRegister(lab, backend2);
    expect(await keys(lab)).toEqual([`/backends/whoami/${one}`, `/backends/whoami/${two}`].sort());
    const { stdout } = await lab.etcd.run(`etcdctl get /backends/whoami/${one} --print-value-only`);
    expect(stdout.trim()).toBe(`${backend1.ip}:8000?port=8000`);

    await startDiscover(lab);
    await answeredBy(lab, 8000, [one, two]);
    const six = await answers(lab, 8000, 6);
    expect(six.every((id, at) => id !== six[at - 1])).toBe(true);

    const three = await startWhoami(backend1, { options: '--name whoami-2 -p :8000' });
    const four = await startWhoami(backend1, { options: '--name whoami-3 -p :8000' });
    await answeredBy(lab, 8000, [one, two, three, four]);

    const traffic = startTraffic(client, `${client.ip}:8000`);
    await waitFor('some requests, answered by all four', () => {
      const answered = traffic.answers();
      return answered.length > 20 && new Set(answered).size === 4;
    });
    const inHand = await killing(backend1, () => backend1.docker('kill', 'whoami', 'whoami-2', 'whoami-3'));
    await answeredBy(lab, 8000, [two]);
    const { requests, failures } = await traffic.end();
    // What a container had in hand when it was killed is lost: over plain TCP nobody can ask again for the client.
    expect(failures.filter((request) => !inHand(request))).toEqual([]);
    expect(requests).toBeGreaterThan(20);

    expect(await page()).toContain('Statistics Report');
    expect(await page()).toContain(two);
    expect(await page('/metrics')).toContain(`haproxy_server_status{proxy="whoami:8000",server="${two}"`);
    const table = await client.docker('exec', 'docker-discover', 'docker-discover', 'ls');
    expect(table).toMatch(new RegExp(`whoami +8000 +${backend2.ip}:8000 +${two} +UP`));
    const registered = await backend2.docker('exec', 'docker-register', 'docker-register', 'ls');
    expect(registered).toMatch(new RegExp(`whoami +${two} +${backend2.ip}:8000 +8000 +ready`));

    // Its exit code is 0, or this rejects.
    const aroundRegister = await backend2.docker('exec', 'docker-register', 'docker-register', 'doctor');
    expect(aroundRegister).toMatch(/^not checked +HOST_IP .*this container$/m);
    expect(aroundRegister).toMatch(/^0 failed, /m);
    const aroundDiscover = await client.docker('exec', 'docker-discover', 'docker-discover', 'doctor');
    expect(aroundDiscover).toMatch(/^ok +HAProxy +version 3\.0\./m);
    expect(aroundDiscover).toMatch(/^0 failed, /m);
  });
});

describe('docker-discover', () => {
  it('has the stats page while etcd is empty, and before etcd is there', async () => {
    await startDiscover(lab);
    expect(await page()).toContain('Statistics Report');
    expect((await ls(lab)).listeners).toEqual([]);
    await client.docker('rm', '-f', 'docker-discover');
    await lab.etcd.stop();
    try {
      await runDiscover(lab);
      await waitFor('the stats page', async () => (await page().catch(String)).includes('Statistics Report'));
      expect(await page('/metrics')).toContain('haproxy_process_uptime_seconds');
    } finally {
      await lab.etcd.start();
    }
    const id = await startWhoami(backend1, { options: '-p 8000:8000' });
    await startRegister(lab, backend1);
    await answeredBy(lab, 8000, [id]);
  });

  it('serves the last known good state when it is restarted while etcd is down', async () => {
    const id = await startWhoami(backend1, { options: '-p 8000:8000' });
    await startRegister(lab, backend1);
    await startDiscover(lab);
    await answeredBy(lab, 8000, [id]);
    await lab.etcd.stop();
    try {
      await client.docker('restart', 'docker-discover');
      await discoverReady(lab);
      await answeredBy(lab, 8000, [id]);
      expect((await ls(lab)).catalog).toBe('last known good');
    } finally {
      await lab.etcd.start();
    }
    await waitFor('etcd to be followed again', async (seen) => seen(await ls(lab)).catalog === 'live');
    await answeredBy(lab, 8000, [id]);
  });

  it('leaves out the one listener whose port another process has, and brings it when the port is free', async () => {
    const squatter = client.spawn('exec busybox httpd -f -p 8001 -h /run');
    try {
      await waitFor('the port to be taken', async (seen) =>
        seen((await client.run('ss -ltn')).stdout).includes(':8001 '),
      );
      const free = await startWhoami(backend1, { options: '-p 8000:8000' });
      const taken = await startWhoami(backend1, { options: '-p 8101:8001', image: 'taken', port: 8001 });
      await startRegister(lab, backend1);
      await startDiscover(lab);
      await answeredBy(lab, 8000, [free]);
      const reason = 'port 8001 is taken by another process';
      await waitFor('the reason', async (seen) =>
        seen(await ls(lab)).problems.some((problem) => problem.reason === reason),
      );
      await squatter.stop();
      await answeredBy(lab, 8001, [taken]);
      expect((await ls(lab)).problems).toEqual([]);
    } finally {
      await squatter.stop();
    }
  });

  it('stops softly on docker stop, with exit code 0', async () => {
    await startDiscover(lab);
    await client.docker('stop', 'docker-discover');
    expect(await client.docker('inspect', '-f', '{{.State.ExitCode}}', 'docker-discover')).toBe('0');
  });
});

describe('services', () => {
  it('are offered side by side, each on its port', async () => {
    const whoami = await startWhoami(backend1, { options: '-p 8000:8000' });
    const other = await startWhoami(backend2, { options: '-p :8001', image: 'other', port: 8001 });
    await startRegister(lab, backend1);
    await startRegister(lab, backend2);
    await startDiscover(lab);
    await answeredBy(lab, 8000, [whoami]);
    await answeredBy(lab, 8001, [other]);
  });

  it('that claim one port are never mixed, and the one that is left out is told', async () => {
    const holder = await startWhoami(backend1, { options: '-p 8000:8000' });
    await startRegister(lab, backend1);
    await startRegister(lab, backend2);
    await startDiscover(lab);
    await answeredBy(lab, 8000, [holder]);
    await startWhoami(backend2, { options: '-p 8000:8000', image: 'other' });
    await waitFor('the conflict to be told', async (seen) => seen(await ls(lab)).problems.length === 1);
    expect((await ls(lab)).problems).toEqual([{ key: 'other:8000', reason: 'port 8000 is held by service whoami' }]);
    expect(new Set(await answers(lab, 8000, 20))).toEqual(new Set([holder]));
  });

  it('of containers that ran before docker-register, and of those that start after it', async () => {
    const before = await startWhoami(backend1, { options: '-p :8000' });
    await startRegister(lab, backend1);
    await startDiscover(lab);
    await answeredBy(lab, 8000, [before]);
    const after = await startWhoami(backend1, { options: '-p :8000' });
    await answeredBy(lab, 8000, [before, after]);
    await backend1.docker('stop', before);
    await answeredBy(lab, 8000, [after]);
  });

  it('have one entrance by host name, over two hosts and with one port for all', async () => {
    const shop = await startWhoami(backend1, { options: '-p :8000 -e VIRTUAL_HOST=shop.example' });
    const blog = await startWhoami(backend2, {
      options: '-p :8000 -l SERVICE_HTTP_HOST=*.blog.example',
      image: 'other',
    });
    await startRegister(lab, backend1);
    await startRegister(lab, backend2);
    await startDiscover(lab, '-e HTTP_BIND=80 -e PORTS=none');
    const at = async (host: string): Promise<string> =>
      (await client.run(`curl -sS --max-time 5 -H 'Host: ${host}' ${client.ip}`, { check: false })).stdout;
    await waitFor('the shop', async (seen) => seen(await at('shop.example')).includes(shop));
    await waitFor('the blog', async (seen) => seen(await at('my.blog.example')).includes(blog));
    expect(await at('nobody.example')).toBe('no service has this host name and path\n');
    expect((await ls(lab)).problems).toEqual([]);
  });

  it('are reached over IPv6 where HOST_IP and BIND say so', async () => {
    const [far, near] = ['fd00:5d::20', 'fd00:5d::30'];
    const addresses = [[backend1, far] as const, [client, near] as const];
    for (const [host, address] of addresses) await host.run(`ip -6 addr add ${address}/64 dev eth0 nodad`);
    try {
      const id = await startWhoami(backend1, { options: '-p 8000:8000' });
      await startRegister(lab, backend1, `-e HOST_IP=${far}`);
      await startDiscover(lab, '-e BIND=::');
      await waitFor('the answer over IPv6', async (seen) => {
        const { stdout } = await client.run(`curl -g -sS --max-time 5 'http://[${near}]:8000'`, { check: false });
        return seen(stdout).includes(id);
      });
      await answeredBy(lab, 8000, [id]);
      const { stdout } = await lab.etcd.run(`etcdctl get /backends/whoami/${id} --print-value-only`);
      expect(stdout.trim()).toBe(`[${far}]:8000?port=8000`);
    } finally {
      for (const [host, address] of addresses) await host.run(`ip -6 addr del ${address}/64 dev eth0`);
    }
  });

  it('with several ports have a listener for each', async () => {
    const id = await startWhoami(backend1, { options: '-p :8000 -p :9000 --expose 9001' });
    await startRegister(lab, backend1);
    await startDiscover(lab);
    await answeredBy(lab, 8000, [id]);
    expect(await keys(lab)).toEqual([`/backends/whoami/${id}:8000`, `/backends/whoami/${id}:9000`]);
    expect((await ls(lab)).listeners.map(({ port }) => port)).toEqual([8000, 9000]);
  });
});

describe('docker-register', () => {
  it('takes the address of an interface, on the host’s network alone', async () => {
    const id = await startWhoami(backend1, { options: '-p 8000:8000 -l SERVICE_PORT=9000 -l SERVICE_MODE=http' });
    const start = (options: string): ReturnType<EngineHost['run']> =>
      backend1.run(
        `docker run ${options} -e ETCD_HOST=${lab.etcd.ip} -v /var/run/docker.sock:/var/run/docker.sock docker-register`,
        { check: false },
      );
    for (const word of ['eth0', 'auto']) {
      const { code, stderr } = await start(`--rm -e HOST_IP=${word}`);
      expect(code).toBe(2);
      expect(stderr).toContain("HOST_IP names interface eth0, which here is the container's and not the host's");
      expect(stderr).toContain('--net host');
    }
    await start('-d --name docker-register --net host -e HOST_IP=eth0');
    await startDiscover(lab);
    await answeredBy(lab, 9000, [id]);
    const { stdout } = await lab.etcd.run(`etcdctl get /backends/whoami/${id} --print-value-only`);
    expect(stdout.trim()).toBe(`${backend1.ip}:8000?port=9000&mode=http`);
  });

  it('killed, takes its keys along within TTL and poll where STALE=0s, and the others carry on', async () => {
    const dead = await startWhoami(backend1, { options: '-p 8000:8000' });
    const alive = await startWhoami(backend2, { options: '-p 8000:8000' });
    await startRegister(lab, backend1, '-e TTL=5s');
    await startRegister(lab, backend2, '-e TTL=5s');
    await startDiscover(lab, '-e POLL=1s -e STALE=0s');
    await answeredBy(lab, 8000, [dead, alive]);
    const traffic = startTraffic(client, `${client.ip}:8000`);
    const killedAt = performance.now();
    await backend1.docker('kill', 'docker-register');
    await waitFor('its key to go', async (seen) => seen(await keys(lab)).length === 1);
    await answeredBy(lab, 8000, [alive]);
    console.log(
      `key and endpoint gone ${((performance.now() - killedAt) / 1000).toFixed(1)} s after the kill, with a TTL of 5 s`,
    );
    expect((await traffic.end()).failures).toEqual([]);
  });

  it('upgraded within the TTL, is not noticed', async () => {
    const id = await startWhoami(backend1, { options: '-p 8000:8000' });
    await startRegister(lab, backend1);
    await startDiscover(lab);
    await answeredBy(lab, 8000, [id]);
    const before = (await ls(lab)).haproxy;
    await backend1.docker('rm', '-f', 'docker-register');
    await startRegister(lab, backend1);
    await answeredBy(lab, 8000, [id]);
    expect((await ls(lab)).haproxy).toEqual(before);
  });
});

describe('the images', () => {
  it('have an init as PID 1, a HEALTHCHECK that passes, and labels', async () => {
    await startRegister(lab, backend1);
    await startDiscover(lab);
    for (const [host, name] of [
      [backend1, 'docker-register'],
      [client, 'docker-discover'],
    ] as const) {
      await waitFor(
        `${name} to be healthy`,
        async (seen) => seen(await host.docker('inspect', '-f', '{{.State.Health.Status}}', name)) === 'healthy',
      );
      expect((await host.docker('exec', name, 'cat', '/proc/1/comm')).trim()).toBe('tini');
      expect(await host.docker('inspect', '-f', '{{index .Config.Labels "docker-discover.pair"}}', name)).not.toBe('');
      expect(await host.docker('exec', name, 'ls', '/app/node_modules')).not.toMatch(/^(typescript|vitest|eslint)$/m);
    }
    expect(await keys(lab)).toEqual([]);
  });

  it('tell what is missing, and end with 2', async () => {
    const { code, stderr } = await backend1.run('docker run --rm docker-register', { check: false });
    expect(stderr).toMatch(/^docker-register: HOST_IP is not set: .*addresses seen from here: /);
    expect(code).toBe(2);
    const discover = await client.run('docker run --rm docker-discover', { check: false });
    expect(discover.stderr).toMatch(/^docker-discover: ETCD_HOST is not set/);
    expect(discover.code).toBe(2);
  });
});
