import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import { runDaemon, startDaemon, type Daemon } from './support/daemon.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const stand = useStand();
let a: BackEnd;
let b: BackEnd;
let site: Site;
let env: Record<string, string>;
const running: Daemon[] = [];

beforeEach(async () => {
  [a, b] = [await stand.backEnd('a'), await stand.backEnd('b')];
  site = await stand.site({ prefix: '/backends' });
  env = { ETCD_HOST: stand.etcd.host, TTL: '3s' };
  site.start();
});
afterEach(async () => {
  for (const daemon of running.splice(0)) {
    daemon.signal('SIGTERM');
    await daemon.ended;
  }
});

function put(...args: string[]): Daemon {
  const daemon = startDaemon('docker-register', ['put', 'db', ...args], env);
  running.push(daemon);
  return daemon;
}

async function keys(): Promise<string[]> {
  const { entries } = await stand.etcd.registry.list(AbortSignal.timeout(10_000));
  return entries.map(({ key }) => key);
}

describe('docker-register put', () => {
  it('--hold keeps a thing registered that is no container, for as long as it runs', async () => {
    const daemon = put(a.address, `port=${String(site.port)}`, 'region=eu', '--hold');
    await site.answers(site.port, 'a');
    expect(await keys()).toEqual([`/backends/db/${a.address}`]);
    daemon.signal('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(await keys()).toEqual([]);
  });

  it('--hold --check withdraws it while the check fails', async () => {
    put(a.address, `port=${String(site.port)}`, '--hold', '--check', '/');
    await waitFor('the key', async () => (await keys()).length === 1);
    await a.close();
    await waitFor('its end', async () => (await keys()).length === 0);
  });

  it('--hold leaves a key alone that another process holds by now', async () => {
    const first = put(a.address, `port=${String(site.port)}`, '--hold');
    await waitFor('the key', async () => (await keys()).length === 1);
    const second = put(a.address, `port=${String(site.port)}`, '--hold');
    await waitFor('the second', () => second.output().includes('"msg":"registered"'));
    first.signal('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(await keys()).toHaveLength(1);
  });

  it('without --hold registers it for good', async () => {
    expect(await put(a.address, `port=${String(site.port)}`, '--id', 'one').ended).toBe(0);
    expect(await keys()).toEqual(['/backends/db/one']);
    await site.answers(site.port, 'a');
  });

  it.each([
    [['198.18.0.40'], /"198\.18\.0\.40" is not an address/],
    [['198.18.0.40:5432', 'weight=0'], /weight: "0" is not a number from 1 to 256/],
    [['198.18.0.40:5432', '--check', 'tcp'], /--check is for a registration that is kept: give --hold too/],
    [['198.18.0.40:5432', '--hold', '--check', 'udp'], /--check: check: "udp" is not tcp, or a path/],
  ])('%j is wrong usage', async (args, message) => {
    const daemon = put(...args);
    expect(await daemon.ended).toBe(2);
    expect(daemon.output()).toMatch(message);
  });
});

describe('docker-register drain', () => {
  const run = (...args: string[]): Promise<{ code: number | null; output: string }> =>
    runDaemon('docker-register', args, env);

  it('takes an endpoint out without withdrawing it, and undrain puts it back', async () => {
    await site.put('web/one', `${a.address}?port=${String(site.port)}`);
    await site.put('web/two', `${b.address}?port=${String(site.port)}`);
    await site.answers(site.port, 'a', 'b');
    expect(await run('drain', 'one')).toEqual({ code: 0, output: 'draining, until undrain one:\n  web/one\n' });
    await site.answers(site.port, 'b');
    expect((await site.ls()).listeners[0]?.endpoints).toMatchObject([{ id: 'one', status: 'DRAIN' }, { id: 'two' }]);
    expect((await site.ls()).problems).toEqual([]);
    expect(await run('undrain', 'one')).toEqual({ code: 0, output: '' });
    await site.answers(site.port, 'a', 'b');
  });

  it('takes out a whole host, and tells of what is not there', async () => {
    await site.put('web/one', `${a.address}?port=${String(site.port)}`);
    await site.answers(site.port, 'a');
    expect((await run('drain', '127.0.0.1')).output).toContain('  web/one\n');
    await waitFor('the drain', async () => (await site.ls()).listeners[0]?.endpoints[0]?.status === 'DRAIN');
    expect((await run('undrain', '127.0.0.1')).code).toBe(0);
    await site.answers(site.port, 'a');
    expect(await run('undrain', '127.0.0.1')).toEqual({
      code: 1,
      output: 'docker-register: 127.0.0.1 is not drained by hand\n',
    });
    expect((await run('drain', '198.18.0.99')).output).toMatch(/^nothing is registered of host 198\.18\.0\.99 now/);
    expect((await run('drain')).output).toBe('198.18.0.99\n');
    expect(await run('drain', 'onw')).toMatchObject({ code: 1 });
    expect((await run('drain', 'one', 'two')).code).toBe(2);
    expect((await run('drain')).output).toBe('198.18.0.99\n');
    expect((await run('undrain', '198.18.0.99')).code).toBe(0);
  });
});
