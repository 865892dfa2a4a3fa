import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { basePace } from '../../../src/core/haproxy/check-pace.js';
import { formatLastKnownGood, parseLastKnownGood } from '../../../src/core/last-known-good.js';
import { defaultLimits } from '../../../src/core/limits.js';
import { createDiscover, type Discover } from '../../../src/daemon/discover.js';
import { createHaproxyHands } from '../../../src/daemon/haproxy-hands.js';
import { createProxyKeeper } from '../../../src/daemon/proxy-keeper.js';
import { PortsTakenError } from '../../../src/ports/proxy.js';
import { templatesWith } from '../support/templates.js';
import { hostWith, proxySettingsWith } from '../support/settings.js';
import { FakeProxy } from '../support/fake-proxy.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingLog } from '../support/log.js';
import { recordingMeter } from '../support/meter.js';
import { heldWith } from '../support/models.js';
import { accepted } from '../support/parsed.js';
import { entryWith, prefix } from '../support/registrations.js';
import { pass, until } from '../support/time.js';

const template = [
  '{{^stats}}# no stats page\n{{/stats}}',
  '{{#stats}}frontend stats\n{{/stats}}',
  '{{#listeners}}listen {{name}}\n{{#servers}}server {{name}} {{address}} weight {{weight}}\n{{/servers}}balance {{balance}}\n{{/listeners}}',
].join('');
const value = '10.0.0.1:49153?port=8000';

let controller: AbortController;
let registry: FakeRegistry;
let proxy: FakeProxy;
let saved: string | null;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
  registry = new FakeRegistry();
  proxy = new FakeProxy();
  saved = null;
  recorded = recordingLog();
});
afterEach(() => {
  controller.abort();
  vi.useRealTimers();
});

/** What the pacer of the checks goes by. */
let clientHosts: number | null;
/** What the pacer of the checks was told, round by round. */
let livesTold: boolean[];
beforeEach(() => {
  livesTold = [];
  clientHosts = null;
});

function start(): { discover: Discover; run: Promise<void> } {
  const { log } = recorded;
  const keeper = createProxyKeeper({
    proxy,
    settings: proxySettingsWith(),
    templates: templatesWith(template),
    readTemplates: () => Promise.resolve(templatesWith(template)),
    reloadIntervalMs: 1_000,
    drainDeadlineMs: 600_000,
    log,
    meter: recordingMeter().meter,
  });
  const discover = createDiscover({
    registry,
    store: {
      load: () => Promise.resolve(saved),
      save: (text) => {
        saved = text;
        return Promise.resolve();
      },
    },
    hands: createHaproxyHands({ proxy, keeper, log }),
    prefix,
    host: {
      ...hostWith(),
      pacer: {
        ...hostWith().pacer,
        paceFor(_listeners, isLive) {
          livesTold.push(isLive);
          return basePace;
        },
        clientHosts: () => clientHosts,
        restore: (count) => (clientHosts = count),
        counted: () => 700,
      },
    },
    trust: () => null,
    limits: defaultLimits,
    otherProblems: () => [],
    pollMs: 5_000,
    staleMs: 600_000,
    quiet: { leastMs: 10, mostMs: 200 },
    log,
    meter: recordingMeter().meter,
  });
  return { discover, run: discover.run(controller.signal) };
}

/** Listeners and their servers as the file has them: `web:80: a b, whoami:8000: c`. */
function served(): string {
  return [...proxy.text.matchAll(/^listen (.*)\n((?:server .*\n)*)/gm)]
    .map(([, name = '', servers = '']) => `${name}:${servers.replace(/^server (\S+) .*\n/gm, ' $1')}`)
    .join(', ');
}

describe('before etcd has answered', () => {
  test('HAProxy runs without a service, and is not ready until the first catalog', async () => {
    registry.failOn('list');
    const { discover } = start();
    await until('HAProxy', () => discover.counts().isRunning);
    await pass(60_000);
    expect(discover.isReady()).toBe(false);
    expect(served()).toBe('');
    expect(saved).toBeNull();
    expect(await discover.status(controller.signal)).toMatchObject({ catalog: 'none', revision: 0, listeners: [] });
    registry.failOn();
    await until('the first catalog', () => discover.isReady());
    expect(await discover.status(controller.signal)).toMatchObject({ catalog: 'live' });
  });

  test('the last good state from disk is served, and a conflict ends as it did before', async () => {
    const older = entryWith({ service: 'older', id: 'a', address: { host: '10.0.0.1', port: 1 } }, 1);
    const holder = entryWith({ service: 'holder', id: 'b', address: { host: '10.0.0.2', port: 1 } }, 2);
    const held = [heldWith({ service: 'holder' })];
    saved = formatLastKnownGood({ revision: 7, entries: [older, holder], stale: [], held, clientHosts: 600 });
    registry.failOn('list');
    const { discover } = start();
    await until('the service', () => served() === 'holder:8000: b');
    await until('the restored catalog', () => discover.isReady());
    expect(await discover.status(controller.signal)).toMatchObject({
      catalog: 'last known good',
      revision: 7,
      checks: { clientHosts: 600 },
    });
    await pass(60_000);
    expect(served()).toBe('holder:8000: b');
  });

  test.each(['', 'nonsense', '{"version":9}'])(
    'a state that can not be used is told, and it starts empty: %j',
    async (text) => {
      saved = text;
      const { discover } = start();
      await until('HAProxy', () => discover.isReady());
      expect(recorded.messages('warn')).toEqual(['the saved state can not be used; starting empty']);
    },
  );
});

describe('a change in etcd', () => {
  test('reaches HAProxy and the disk', async () => {
    const { discover } = start();
    await until('the watch', () => registry.isWatched() && discover.isReady());
    registry.put('/backends/whoami/a', value);
    await until('the service', () => served() === 'whoami:8000: a');
    await until('the saved state', () => saved?.includes('/backends/whoami/a') === true);
    expect(accepted(parseLastKnownGood(saved ?? ''))).toMatchObject({ held: [heldWith()], clientHosts: 700 });
    expect(await discover.status(controller.signal)).toMatchObject({
      catalog: 'live',
      haproxy: { running: true, workerPid: 4711, reloads: 1 },
      listeners: [{ service: 'whoami', port: 8000, endpoints: [{ id: 'a', status: 'UP' }] }],
      problems: [],
    });
  });

  test('that claims the address of an endpoint for a port that this host denies takes it not away', async () => {
    registry.put('/backends/whoami/a', value);
    const { discover } = start();
    await until('the service', () => served() === 'whoami:8000: a');
    registry.put('/backends/whoami/b', `${value.replace(/\?.*/, '')}?port=22`);
    await until('the problem', () => discover.problems().conflicting.length > 0);
    expect(discover.problems().conflicting).toMatchObject([{ key: '/backends/whoami/b' }]);
    expect(served()).toBe('whoami:8000: a');
  });

  test('while etcd does not answer is no change: everything stays', async () => {
    registry.put('/backends/whoami/a', value);
    start();
    await until('the service', () => served() === 'whoami:8000: a');
    expect(livesTold.at(-1)).toBe(true);
    registry.failOn('list', 'watch', 'countKeys', 'fingerprint');
    registry.breakWatch();
    await pass(10 * 60_000);
    expect(served()).toBe('whoami:8000: a');
    expect(livesTold.at(-1)).toBe(false);
  });

  test('that takes the last endpoint leaves the listener for a while', async () => {
    registry.put('/backends/whoami/a', value);
    start();
    await until('the service', () => registry.isWatched() && served() === 'whoami:8000: a');
    registry.remove('/backends/whoami/a');
    await until('the empty listener', () => served() === 'whoami:8000:');
    await pass(50_000);
    expect(served()).toBe('whoami:8000:');
    await pass(20_000);
    expect(served()).toBe('');
  });

  test('that is not served is told once, and again when it is no longer a problem', async () => {
    const { discover } = start();
    await until('the watch', () => registry.isWatched() && discover.isReady());
    registry.put('/backends/whoami/bad', 'nonsense');
    await pass(60_000);
    const { problems } = await discover.status(controller.signal);
    expect(problems).toEqual([
      { key: '/backends/whoami/bad', reason: '"nonsense" is not an address: ip:port or [ipv6]:port' },
    ]);
    expect(recorded.messages('warn')).toEqual(['not served']);
    registry.remove('/backends/whoami/bad');
    await until('the end', () => recorded.messages('info').includes('no longer a problem'));
  });
});

describe('a port that is taken', () => {
  test('found by the look costs that listener only, until it is free', async () => {
    registry.put('/backends/whoami/a', value);
    registry.put('/backends/web/b', '10.0.0.2:1?port=80');
    proxy.taken.add(80);
    start();
    await until('the other service', () => served() === 'whoami:8000: a');
    proxy.taken.clear();
    await until('both', () => served() === 'web:80: b, whoami:8000: a');
  });

  test('found only by HAProxy costs that listener only, and is tried again', async () => {
    const { discover } = start();
    await until('the watch', () => registry.isWatched() && discover.isReady());
    proxy.failLoad = new PortsTakenError([80]);
    registry.put('/backends/web/b', '10.0.0.2:1?port=80');
    registry.put('/backends/whoami/a', value);
    await until('the other service', () => served() === 'whoami:8000: a');
    expect((await discover.status(controller.signal)).problems).toEqual([
      {
        key: 'web:80',
        reason: expect.stringMatching(/^port 80 can not be bound by HAProxy; below 1024 it needs /) as string,
      },
    ]);
    await until('both', () => served() === 'web:80: b, whoami:8000: a');
  });

  test('by another process on the stats page leaves that out, and tells it', async () => {
    proxy.taken.add(1936);
    const { discover } = start();
    await until('HAProxy', () => discover.isReady());
    expect(proxy.text).toBe('# no stats page\n');
    expect((await discover.status(controller.signal)).problems).toMatchObject([{ key: 'stats page' }]);
    proxy.taken.clear();
    await until('the stats page', () => proxy.text === 'frontend stats\n');
  });
});

test('endpoints follow without a reload, also of a host that comes back', async () => {
  registry.put('/backends/whoami/a', value);
  const { discover } = start();
  await until('the service', () => registry.isWatched() && served() === 'whoami:8000: a');
  const { haproxy } = await discover.status(controller.signal);
  registry.put('/backends/whoami/b', '10.0.0.2:49153?port=8000');
  await until('the second', () => proxy.servers().length === 2);
  registry.remove('/backends/whoami/a');
  await until('the first to go', () => proxy.servers().length === 1);
  expect(served()).toBe('whoami:8000: b');
  expect((await discover.status(controller.signal)).haproxy.reloads).toBe(haproxy.reloads);
});

test('listeners that come within the reload interval wait for its end, and come in one reload', async () => {
  const { discover } = start();
  await until('the watch', () => registry.isWatched() && discover.isReady());
  registry.put('/backends/first/a', '10.0.0.1:1?port=81');
  await until('the first', () => served() === 'first:81: a');
  for (const port of ['82', '83', '84']) registry.put(`/backends/later-${port}/a`, `10.0.0.1:${port}?port=${port}`);
  await until('the others', () => served().split(', ').length === 4);
  expect((await discover.status(controller.signal)).haproxy.reloads).toBe(2);
});

test('what somebody changed in HAProxy by hand is set right within half a minute', async () => {
  registry.put('/backends/whoami/a', value);
  start();
  await until('the service', () => served() === 'whoami:8000: a');
  proxy.setWeight('whoami:8000/a', 77);
  await pass(30_000);
  await until('the weight', () => proxy.servers()[0] === 'whoami:8000/a 10.0.0.1:49153 1');
  expect(proxy.loads).toHaveLength(1);
});

test('HAProxy that exits is started again', async () => {
  registry.put('/backends/whoami/a', value);
  const { discover } = start();
  await until('the service', () => served() === 'whoami:8000: a');
  proxy.crash();
  expect(discover.isReady()).toBe(false);
  discover.trigger('HAProxy exited');
  await until('HAProxy', () => discover.isReady());
  expect(served()).toBe('whoami:8000: a');
});

test('a HAProxy that takes nothing but a configuration without listeners is not ready; it stays ready where it refuses a later one', async () => {
  registry.put('/backends/web/a', '10.0.0.1:80?port=80');
  // Whatever is left out, as where open files are too few for all of them.
  proxy.refuse = (text) => (text.includes('listen web') ? 'Cannot raise FD limit' : null);
  proxy.check = () => Promise.resolve();
  const { discover } = start();
  await until('HAProxy', () => discover.counts().isRunning);
  await pass(10_000);
  expect([served(), discover.isReady()]).toEqual(['', false]);
  proxy.refuse = () => null;
  await until('the catalog', () => discover.isReady());
  expect(served()).toContain('web');
  proxy.refuse = () => 'Cannot raise FD limit';
  registry.put('/backends/other/b', '10.0.0.2:80?port=81');
  await pass(10_000);
  expect(discover.isReady()).toBe(true);
});

test('a configuration that HAProxy refused is not saved as the last good one', async () => {
  registry.put('/backends/whoami/a', value);
  const { discover } = start();
  await until('the saved state', () => saved?.includes('/backends/whoami/a') === true && registry.isWatched());
  proxy.refuse = (text) => (text.includes('web') || !text.includes('whoami') ? 'unknown keyword' : null);
  registry.put('/backends/web/b', '10.0.0.2:1?port=80');
  await until('the fault', () => recorded.messages('error').length > 0);
  await pass(30_000);
  expect(saved).not.toContain('/backends/web/b');
  expect((await discover.status(controller.signal)).fault).toBe('unknown keyword');
});

describe('a service that HAProxy refuses', () => {
  const refused = 'HAProxy refuses it: unknown keyword';
  const problems = async (): Promise<readonly unknown[]> => (await discover.status(controller.signal)).problems;
  let discover: ReturnType<typeof start>['discover'];

  beforeEach(async () => {
    registry.put('/backends/whoami/a', value);
    proxy.refuse = (text) => (text.includes('balance random') ? 'unknown keyword' : null);
    ({ discover } = start());
    await until('the service', () => served() === 'whoami:8000: a' && registry.isWatched());
  });

  test('is left out alone, with the reason; all others follow, and are saved', async () => {
    registry.put('/backends/web/b', '10.0.0.2:1?port=80&balance=random');
    registry.put('/backends/whoami/c', '10.0.0.3:1?port=8000');
    await until('the reason', () => recorded.messages('warn').includes('not served'));
    expect(await problems()).toEqual([{ key: 'web:80', reason: refused }]);
    registry.put('/backends/api/d', '10.0.0.4:1?port=81');
    await until('the other', () => served() === 'api:81: d, whoami:8000: a c');
    await until('the saved state', () => saved?.includes('/backends/api/d') === true);
    expect((await discover.status(controller.signal)).fault).toBeNull();
    await pass(300_000);
    expect(recorded.messages('warn')).toEqual(['not served']);
    expect(recorded.messages('error')).toEqual([]);
  });

  test('goes on as it was, with the endpoints of now', async () => {
    registry.put('/backends/whoami/b', '10.0.0.2:1?port=8000&balance=random');
    await until('the new endpoint', () => served() === 'whoami:8000: a b');
    registry.remove('/backends/whoami/a');
    await until('the old one to go', () => served() === 'whoami:8000: b');
    expect(await problems()).toEqual([
      { key: 'whoami:8000', reason: 'HAProxy refuses it, and it goes on as it was: unknown keyword' },
    ]);
  });

  test('comes by itself when HAProxy takes it', async () => {
    registry.put('/backends/web/b', '10.0.0.2:1?port=80&balance=random');
    await until('the reason', () => recorded.messages('warn').includes('not served'));
    proxy.refuse = () => null;
    await until('it to come', () => served() === 'web:80: b, whoami:8000: a');
    await until('the problem to be over', () => recorded.messages('info').includes('no longer a problem'));
    expect(await problems()).toEqual([]);
  });

  test('comes at once when it no longer asks for that', async () => {
    registry.put('/backends/web/b', '10.0.0.2:1?port=80&balance=random');
    await until('the reason', () => recorded.messages('warn').includes('not served'));
    registry.put('/backends/web/b', '10.0.0.2:1?port=80');
    await pass(2_000);
    expect(served()).toBe('web:80: b, whoami:8000: a');
  });

  test('does not keep HAProxy from starting again after a crash', async () => {
    registry.put('/backends/web/b', '10.0.0.2:1?port=80&balance=random');
    await until('the reason', () => recorded.messages('warn').includes('not served'));
    proxy.crash();
    discover.trigger('HAProxy exited');
    await pass(5_000);
    expect([proxy.isRunning(), served()]).toEqual([true, 'whoami:8000: a']);
    expect(await problems()).toEqual([{ key: 'web:80', reason: refused }]);
  });
});

test('the end stops HAProxy', async () => {
  const { discover, run } = start();
  await until('HAProxy', () => discover.isReady());
  controller.abort();
  await run;
  expect(proxy.isRunning()).toBe(false);
});
