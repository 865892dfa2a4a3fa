import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Entry } from '../../../src/core/catalog.js';
import { defaultPolicy, type ClientPolicy } from '../../../src/core/haproxy/client-policy.js';
import type { HeldListener } from '../../../src/core/haproxy/listener.js';
import { emptyModel } from '../../../src/core/haproxy/model.js';
import { createModelBuilder, type BuiltModel } from '../../../src/daemon/model-builder.js';
import { hostWith } from '../support/settings.js';
import { FakeProxy } from '../support/fake-proxy.js';
import { heldWith } from '../support/models.js';
import { catalogWith, entryAt } from '../support/registrations.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const web = entryAt('web', 80, 'a', 1);
const api = entryAt('api', 8080, 'b', 2);

function builderWith({
  bind = ['*'],
  held = [],
  policy = {},
  interfaces,
}: {
  bind?: string[];
  held?: HeldListener[];
  policy?: Partial<ClientPolicy>;
  interfaces?: (() => ReadonlySet<string>) | null;
} = {}): {
  proxy: FakeProxy;
  build: (entries: readonly Entry[], loaded?: readonly number[]) => Promise<BuiltModel>;
  bar: (...ports: number[]) => void;
} {
  const proxy = new FakeProxy();
  const builder = createModelBuilder({
    proxy,
    ...hostWith({ bind, policy: { ...defaultPolicy, ...policy }, ...(interfaces !== undefined && { interfaces }) }),
    held,
    heldRevision: 5,
  });
  return {
    proxy,
    build: (entries, loaded = []) =>
      builder.build({
        catalog: catalogWith(entries),
        revision: 10,
        isLive: true,
        loaded: new Set(loaded),
        last: { model: emptyModel, isRunning: true },
      }),
    bar: (...ports) => {
      builder.bar(ports);
    },
  };
}

function namesOf({ model }: BuiltModel): string[] {
  return model.listeners.map(({ name }) => name);
}

describe('the model', () => {
  test('has every service whose port is free', async () => {
    const { build } = builderWith();
    const built = await build([web, api]);
    expect(namesOf(built)).toEqual(['api:8080', 'web:80']);
    expect(built.barred).toEqual(new Set());
  });

  test('leaves out only the listener whose port another process has, and says so', async () => {
    const { build, proxy } = builderWith();
    proxy.taken.add(80);
    const built = await build([web, api]);
    expect(namesOf(built)).toEqual(['api:8080']);
    expect(built.model.refused).toEqual([{ key: 'web:80', reason: 'port 80 is taken by another process' }]);
  });

  test('has it again when the port is free', async () => {
    const { build, proxy } = builderWith();
    proxy.taken.add(80);
    await build([web]);
    proxy.taken.clear();
    expect(namesOf(await build([web]))).toEqual(['web:80']);
  });

  test('goes back to its holder when the port is free, whoever is older', async () => {
    const newer = entryAt('newer', 80, 'n', 5);
    const { build, proxy } = builderWith({ held: [heldWith({ service: 'newer', port: 80 })] });
    proxy.taken.add(80);
    await build([web, newer]);
    proxy.taken.clear();
    expect(namesOf(await build([web, newer]))).toEqual(['newer:80']);
  });

  test('looks at the ports that the running worker does not have, on every host that is bound', async () => {
    const { build, proxy } = builderWith({ bind: ['10.0.0.1', '::'] });
    await build([web, api], [80, 1936]);
    expect(proxy.probed.flat()).toEqual([
      { host: '10.0.0.1', port: 8080 },
      { host: '::', port: 8080 },
    ]);
  });

  test('has no listener on a reserved port, and does not look whether it is free', async () => {
    const { build, proxy } = builderWith();
    const built = await build([entryAt('ssh', 22, 'x'), entryAt('stats', 1936, 'y')], [1936]);
    expect(built.model.refused).toEqual([
      { key: 'ssh:22', reason: 'port 22 is denied on this host (DENY_PORTS)' },
      { key: 'stats:1936', reason: 'port 1936 is reserved for the stats page' },
    ]);
    expect(proxy.probed.flat()).toEqual([]);
  });

  test('leaves a port to the listener that had it in the model before', async () => {
    const { build } = builderWith();
    const younger = entryAt('younger', 80, 'z', 9);
    expect(namesOf(await build([younger]))).toEqual(['younger:80']);
    expect(namesOf(await build([younger, web]))).toEqual(['younger:80']);
  });

  test('leaves a port to the listener that had it before the restart', async () => {
    const { build } = builderWith({ held: [heldWith({ service: 'younger', port: 80 })] });
    expect(namesOf(await build([entryAt('younger', 80, 'z', 9), web]))).toEqual(['younger:80']);
  });

  test('keeps a listener without an endpoint for the time that is set', async () => {
    const { build } = builderWith();
    await build([web]);
    await build([]);
    vi.advanceTimersByTime(59_999);
    expect(namesOf(await build([]))).toEqual(['web:80']);
    vi.advanceTimersByTime(1);
    expect(namesOf(await build([]))).toEqual([]);
  });
});

describe('a port that HAProxy could not bind, although it looks free', () => {
  test('is left alone for a while, then tried again', async () => {
    const { build, bar } = builderWith();
    bar(80);
    const built = await build([web, api]);
    expect(namesOf(built)).toEqual(['api:8080']);
    expect(built.model.refused).toEqual([
      {
        key: 'web:80',
        reason: expect.stringMatching(/^port 80 can not be bound by HAProxy; below 1024 it needs /) as string,
      },
    ]);
    vi.advanceTimersByTime(29_999);
    expect(namesOf(await build([web, api]))).toEqual(['api:8080']);
    vi.advanceTimersByTime(1);
    expect(namesOf(await build([web, api]))).toEqual(['api:8080', 'web:80']);
  });

  test('does not cost a listener that the running worker has', async () => {
    const { build, bar } = builderWith();
    bar(80);
    expect(namesOf(await build([web], [80]))).toEqual(['web:80']);
  });
});

describe('the stats page', () => {
  test('is left out while its port is taken by another process', async () => {
    const { build, proxy } = builderWith();
    proxy.taken.add(1936);
    expect((await build([])).barred).toEqual(new Set(['stats page']));
    proxy.taken.clear();
    expect((await build([])).barred).toEqual(new Set());
  });

  test('is left out while HAProxy can not bind its port', async () => {
    const { build, bar } = builderWith();
    bar(1936);
    expect((await build([])).barred).toEqual(new Set(['stats page']));
    vi.advanceTimersByTime(30_000);
    expect((await build([])).barred).toEqual(new Set());
  });

  test('stays when the running worker has its port: that it is taken, is by us', async () => {
    const { build, proxy } = builderWith();
    proxy.taken.add(1936);
    expect((await build([], [1936])).barred).toEqual(new Set());
  });
});

describe('an endpoint at this host’s own port', () => {
  const own = new Set(['198.18.0.30']);
  const loop = entryAt('loop', 8200, 'l', 3, { address: { host: '198.18.0.30', port: 8200 } });

  test('is left out with its listener, also when the running worker has that port', async () => {
    const { build } = builderWith({ interfaces: () => own });
    for (const loaded of [[], [8200]]) {
      const built = await build([web, loop], loaded);
      expect(namesOf(built)).toEqual(['web:80']);
      expect(built.model.forbidden).toMatchObject([{ key: '/backends/loop/l' }]);
    }
  });

  test('is what its container has published where another process has the port', async () => {
    const { build, proxy } = builderWith({ interfaces: () => own });
    proxy.taken.add(8200);
    const built = await build([web, loop]);
    expect(built.model.forbidden).toEqual([]);
    expect(built.model.refused).toEqual([{ key: 'loop:8200', reason: 'port 8200 is taken by another process' }]);
  });

  test('is one as soon as the host has its address', async () => {
    let now: ReadonlySet<string> = new Set();
    const { build } = builderWith({ interfaces: () => now });
    expect(namesOf(await build([loop]))).toEqual(['loop:8200']);
    now = own;
    expect((await build([loop])).model.listeners).toMatchObject([{ name: 'loop:8200', servers: [] }]);
    vi.advanceTimersByTime(60_000);
    expect(namesOf(await build([loop]))).toEqual([]);
  });

  test('is for another proxy to judge', async () => {
    expect(namesOf(await builderWith({ interfaces: null }).build([loop]))).toEqual(['loop:8200']);
  });
});
