import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { unsealed } from '../../../src/core/signature.js';
import { createRegister } from '../../../src/daemon/register.js';
import { containerId, containerWith, publishedPort } from '../support/containers.js';
import { deferred } from '../support/deferred.js';
import { FakeEngine } from '../support/fake-engine.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingLog } from '../support/log.js';
import { recordingMeter } from '../support/meter.js';
import { prefix, policyWith } from '../support/registrations.js';
import { pass, settle, until } from '../support/time.js';

const one = containerWith({ id: containerId('aaaaaaaaaaaa'), ports: [publishedPort(8000, 49153)] });
const key = '/backends/whoami/aaaaaaaaaaaa';
const ready = '10.170.71.226:49153?port=8000';
const drain = `${ready}&state=drain`;

let controller: AbortController;
let engine: FakeEngine;
let registry: FakeRegistry;
/** Every value that the key had, in order; `null` where it was gone. */
let history: (string | null)[];

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
  engine = new FakeEngine();
  registry = new FakeRegistry();
  history = [];
});
afterEach(() => {
  controller.abort();
  vi.useRealTimers();
});

function start(withdrawOnExit = false): {
  register: ReturnType<typeof createRegister>;
  run: Promise<void>;
  messages: (level: string) => string[];
  leasesLost: () => number | undefined;
} {
  const { log, messages } = recordingLog();
  const { meter, counts } = recordingMeter();
  const register = createRegister({
    engine,
    registry,
    prefix,
    policy: policyWith(),
    ttlMs: 15_000,
    resyncMs: 60_000,
    quiet: { leastMs: 5, mostMs: 100 },
    seal: unsealed,
    changeRate: 1,
    withdrawOnExit,
    log,
    meter,
  });
  const put = registry.put.bind(registry);
  registry.put = (putKey, value, lease) => {
    if (putKey === key) history.push(value);
    put(putKey, value, lease);
  };
  const remove = registry.remove.bind(registry);
  registry.remove = (removedKey) => {
    if (removedKey === key) history.push(null);
    remove(removedKey);
  };
  const leasesLost = (): number | undefined => counts.get('docker_register_leases_lost_total');
  return { register, run: register.run(controller.signal), messages, leasesLost };
}

async function registered(): Promise<void> {
  await until('the registration', () => registry.entries.get(key)?.value === ready);
  await pass(1_000);
}

describe('a container', () => {
  test('that ran before the daemon is registered at its start', async () => {
    engine.set(one);
    const { register } = start();
    expect(register.status()).toEqual({ ready: false, lease: null, registrations: 0 });
    await registered();
    expect(register.status()).toEqual({ ready: true, lease: 'lease-1', registrations: 1 });
  });

  test('that starts later is registered on its event, by one look at it alone', async () => {
    start();
    await until('the event stream', () => engine.isFollowed());
    await pass(1_000);
    engine.calls.length = 0;
    engine.set(one);
    engine.emit(one.id, 'start');
    await registered();
    expect(engine.calls).toEqual(['inspect']);
  });

  test('drains on its stop, and goes when it has died', async () => {
    engine.set(one);
    start();
    await registered();
    engine.emit(one.id, 'kill', 15);
    await pass(1_000);
    engine.containers.delete(one.id);
    engine.emit(one.id, 'die');
    await pass(1_000);
    expect(history).toEqual([ready, drain, null]);
  });

  test('is never called ready again between its stop and its end', async () => {
    engine.set(one);
    start();
    await registered();
    engine.emit(one.id, 'kill', 15);
    await pass(1_000);
    // A look that something else asked for is under way, and answers "running", when it dies.
    const answer = deferred();
    engine.before = () => answer.promise;
    engine.emit(one.id, 'unpause');
    await until('the look', () => engine.calls.filter((call) => call === 'inspect').length === 1);
    engine.containers.delete(one.id);
    engine.emit(one.id, 'die');
    answer.resolve();
    engine.recover();
    await pass(1_000);
    expect(history).toEqual([ready, drain, null]);
  });

  test('that survives its stop signal, or whose restart was missed, does not drain for ever', async () => {
    engine.set(one);
    start();
    await registered();
    engine.emit(one.id, 'kill', 15);
    await until('the drain', () => registry.entries.get(key)?.value === drain);
    engine.breakStream();
    await pass(2 * 3_600_000);
    expect(registry.entries.get(key)?.value).toBe(ready);
  });

  test.each([
    ['paused', { status: 'paused' }, 'pause', 'unpause'],
    ['unhealthy', { health: 'unhealthy' }, 'health_status', 'health_status'],
  ] as const)('is withdrawn while it is %s', async (_what, changes, away, back) => {
    engine.set(one);
    start();
    await registered();
    engine.set({ ...one, ...changes });
    engine.emit(one.id, away);
    await until('the withdrawal', () => !registry.entries.has(key));
    engine.set({ ...one, health: 'healthy' });
    engine.emit(one.id, back);
    await registered();
    expect(history).toEqual([ready, null, ready]);
  });

  test('whose end was missed goes with the resync', async () => {
    engine.set(one);
    start();
    await registered();
    engine.containers.delete(one.id);
    await pass(61_000);
    expect(registry.values()).toEqual({});
  });
});

describe('a container in a restart loop', () => {
  /** It dies and starts again, every 200 ms. */
  async function loop(restarts: number): Promise<void> {
    for (let i = 0; i < restarts; i += 1) {
      engine.containers.delete(one.id);
      engine.emit(one.id, 'die');
      await pass(100);
      engine.set(one);
      engine.emit(one.id, 'start');
      await pass(100);
    }
  }

  test('is kept out after a few of them, told of once, and comes back when it holds', async () => {
    engine.set(one);
    const { messages } = start();
    await registered();
    await loop(50);
    // Ten changes are free, and it was 11 s by now.
    expect(history.length).toBeLessThan(25);
    expect(messages('warn')).toEqual(['comes and goes too often; kept out meanwhile']);
    await until('its return', () => registry.entries.has(key));
    const count = history.length;
    await pass(30_000);
    expect(history.length).toBe(count);
    expect(history.at(-1)).toBe(ready);
    expect(messages('info')).toContain('no longer comes and goes too often');
  });

  test('goes at once when it dies, also when it is over its rate', async () => {
    engine.set(one);
    start();
    await registered();
    await loop(50);
    await until('its return', () => registry.entries.has(key));
    engine.containers.delete(one.id);
    engine.emit(one.id, 'die');
    await pass(10);
    expect(registry.values()).toEqual({});
  });
});

describe('when Docker can not be asked', () => {
  test('nothing is deleted, and all is looked at when it is back', async () => {
    engine.set(one);
    start();
    await registered();
    engine.containers.clear();
    engine.failOn('list', 'inspect', 'follow');
    engine.breakStream();
    await pass(120_000);
    expect(registry.values()).toEqual({ [key]: ready });
    engine.recover();
    await until('the look', () => !registry.entries.has(key));
    expect(history).toEqual([ready, null]);
  });

  test('about one container, the others are looked at as ever, and it when it answers', async () => {
    const other = containerWith({ id: containerId('bbbbbbbbbbbb'), ports: [publishedPort(8000, 49154)] });
    engine.set(one, other);
    engine.silent.add(other.id);
    start();
    await registered();
    engine.containers.delete(one.id);
    engine.emit(one.id, 'die');
    await pass(1_000);
    expect(registry.values()).toEqual({});
    engine.silent.clear();
    await pass(11_000);
    expect(Object.keys(registry.values())).toEqual(['/backends/whoami/bbbbbbbbbbbb']);
  });

  test('the event stream is followed again, and what was missed meanwhile is found', async () => {
    start();
    await until('the event stream', () => engine.isFollowed());
    await pass(1_000);
    engine.breakStream();
    engine.set(one);
    await registered();
    expect(engine.isFollowed()).toBe(true);
  });
});

describe('an event stream that was cut without a word', () => {
  test('is replaced at the resync, so that events are told again', async () => {
    start();
    await until('the event stream', () => engine.isFollowed());
    await pass(1_000);
    engine.muteStream();
    engine.set(one);
    engine.emit(one.id, 'start');
    await pass(50_000);
    expect(registry.values()).toEqual({});
    await registered();
    await pass(5_000);
    engine.containers.delete(one.id);
    engine.emit(one.id, 'die');
    await pass(1_000);
    expect(history).toEqual([ready, null]);
  });

  test('and an engine that takes no new one, or takes its time, is looked at by resync all the same', async () => {
    start();
    await until('the event stream', () => engine.isFollowed());
    await pass(1_000);
    engine.muteStream();
    engine.failOn('follow');
    engine.set(one);
    await pass(61_000);
    expect(registry.values()).toEqual({ [key]: ready });
    engine.recover();
    await pass(5_000);
    expect(engine.isFollowed()).toBe(true);
    engine.containers.delete(one.id);
    engine.emit(one.id, 'die');
    await pass(1_000);
    expect(registry.values()).toEqual({});
  });
});

describe('when the lease is lost', () => {
  test('everything is put again under a new one', async () => {
    engine.set(one);
    const { leasesLost } = start();
    await registered();
    registry.expire('lease-1');
    expect(registry.values()).toEqual({});
    // A third of the TTL until the next keep-alive finds it out; long before the resync.
    await pass(6_000);
    expect(registry.entries.get(key)).toMatchObject({ value: ready, lease: 'lease-2' });
    expect(leasesLost()).toBe(1);
  });

  test('as a transaction finds, it is counted and told of too', async () => {
    engine.set(one);
    const { register, leasesLost, messages } = start();
    await registered();
    registry.failOn('keepAlive');
    registry.expire('lease-1');
    register.lookAgain('test');
    await until('the key under a new lease', () => registry.entries.get(key)?.lease === 'lease-2');
    expect(leasesLost()).toBe(1);
    expect(messages('warn')).toContain(
      'lease lost, etcd no longer knows it; everything is registered again under a new one',
    );
  });

  test('by silence of etcd, everything is put again when it is back', async () => {
    engine.set(one);
    start();
    await registered();
    registry.failOn('list', 'apply', 'grantLease', 'keepAlive');
    await pass(40_000);
    registry.expire('lease-1');
    registry.recover();
    await registered();
    expect(registry.entries.get(key)?.lease).toBe('lease-2');
  });

  test('or may be, by silence of etcd, it has none for whoever asks; where it was not, nothing is put', async () => {
    engine.set(one);
    const { register } = start();
    await registered();
    const puts = registry.count('apply');
    registry.failOn('list', 'listOwn', 'apply', 'grantLease', 'keepAlive');
    await pass(40_000);
    expect(register.status()).toMatchObject({ ready: true, lease: null });
    registry.recover();
    await until('the lease', () => register.status().lease === 'lease-1');
    await pass(5_000);
    expect(registry.applied.slice(puts).every(({ diff }) => diff.puts.length + diff.deletes.length === 0)).toBe(true);
    expect(registry.count('grantLease')).toBe(1);
  });
});

describe('at its end', () => {
  test('the keys are left to the TTL', async () => {
    engine.set(one);
    const { run } = start();
    await registered();
    controller.abort();
    await run;
    expect(registry.values()).toEqual({ [key]: ready });
  });

  test('the keys are withdrawn at once where that is set', async () => {
    engine.set(one);
    const { run } = start(true);
    await registered();
    controller.abort();
    await run;
    expect(registry.values()).toEqual({});
    expect([...registry.leases]).toEqual(['lease-1']);
  });

  test('it does not hang on an etcd that takes no withdrawal, and tells so', async () => {
    engine.set(one);
    const { run } = start(true);
    await registered();
    registry.before = () => new Promise(() => undefined);
    controller.abort();
    const ended = expect(run).rejects.toThrow('etcd did not take the withdrawal in 5s');
    await pass(5_000);
    await ended;
    expect(registry.values()).toEqual({ [key]: ready });
  });

  test('it ends also while Docker and etcd fail', async () => {
    engine.failOn('list', 'follow');
    registry.failOn('grantLease');
    const { run } = start(true);
    await pass(5_000);
    controller.abort();
    await settle();
    await expect(run).resolves.toBeUndefined();
  });
});
