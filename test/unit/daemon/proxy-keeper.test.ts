import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatAddress } from '../../../src/core/address.js';
import { SettingError } from '../../../src/core/errors.js';
import { basePace, type CheckPace } from '../../../src/core/haproxy/check-pace.js';
import { parseConfiguration } from '../../../src/core/haproxy/configuration-reader.js';
import { emptyModel, type Model } from '../../../src/core/haproxy/model.js';
import { createProxyKeeper, type ProxyKeeper } from '../../../src/daemon/proxy-keeper.js';
import { ConfigurationRefusedError, ListenersRefusedError, PortsTakenError } from '../../../src/ports/proxy.js';
import { deferred } from '../support/deferred.js';
import type { FixedName } from '../../../src/core/haproxy/fixed-binds.js';
import { templatesWith } from '../support/templates.js';
import { builtWith, proxySettingsWith } from '../support/settings.js';
import { FakeProxy } from '../support/fake-proxy.js';
import { recordingLog } from '../support/log.js';
import { recordingMeter } from '../support/meter.js';
import { listenerWith, modelWith, serverWith } from '../support/models.js';
import { pass } from '../support/time.js';

const { signal } = new AbortController();
const settings = proxySettingsWith();
const template = [
  '{{#stats}}frontend stats\n{{/stats}}{{#listeners}}listen {{name}}\n',
  '{{#servers}}server {{name}} {{address}} weight {{weight}} check\n{{/servers}}{{/listeners}}',
].join('');

const whoami = modelWith(listenerWith());
const drained = modelWith(listenerWith({ servers: [serverWith({ weight: 0 })] }));
const second = serverWith({ name: 'second', port: 2 });
const bigger = modelWith(listenerWith({ servers: [serverWith(), second] }));
const other = listenerWith({ service: 'other', port: 81 });
const wider = modelWith(listenerWith(), other);
const first = 'whoami:8000/0123456789ab';

const reloadIntervalMs = 1_000;
const drainDeadlineMs = 600_000;

let proxy: FakeProxy;
let keeper: ProxyKeeper;
let recorded: ReturnType<typeof recordingLog>;
/** The template as it stands on disk. */
let file: () => Promise<string>;

beforeEach(() => {
  vi.useFakeTimers();
  proxy = new FakeProxy();
  recorded = recordingLog();
  file = () => Promise.resolve(template);
  keeper = createProxyKeeper({
    proxy,
    settings,
    templates: templatesWith(template),
    readTemplates: async () => templatesWith(await file()),
    reloadIntervalMs,
    drainDeadlineMs,
    log: recorded.log,
    meter: recordingMeter().meter,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** One round, and the end of the reload that it may have begun. */
async function bring(model: Model, barred: readonly FixedName[] = []): Promise<'settled' | 'changed' | number> {
  const outcome = await keeper.bring(builtWith(model, barred), signal);
  if (typeof outcome === 'string') return outcome;
  if ('waitMs' in outcome) return outcome.waitMs;
  await outcome.reloading;
  return 'changed';
}

/** Brings it there, with one more look where HAProxy was started or reloaded. */
async function settled(model: Model): Promise<void> {
  if ((await bring(model)) !== 'settled') expect(await bring(model)).toBe('settled');
}

/** The file for a model. */
function textOf({ listeners }: Model): string {
  const lines = listeners.flatMap(({ name, servers }) => [
    `listen ${name}`,
    ...servers.map((one) => `server ${one.name} ${formatAddress(one)} weight ${String(one.weight)} check`),
  ]);
  return `frontend stats\n${lines.join('\n')}\n`;
}

function errors(): string[] {
  return recorded.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
}

describe('HAProxy', () => {
  test('is started with an empty model too: the stats page is worth having', async () => {
    await settled(emptyModel);
    expect(proxy.loads).toEqual(['frontend stats\n']);
    expect(keeper.changes()).toEqual({ reloads: 0, runtimeChanges: 0, lastReload: null, lastChange: null });
    expect(recorded.messages('info')).toEqual(['HAProxy started']);
  });

  test('is reloaded once for a listener, with its reason', async () => {
    await settled(whoami);
    await settled(wider);
    expect(proxy.loads).toHaveLength(2);
    expect(proxy.text).toContain('listen other:81\n');
    expect(keeper.changes()).toMatchObject({ reloads: 1, lastReload: { what: 'listen other:81 added' } });
    expect(recorded.lines.at(-1)).toMatchObject({ msg: 'HAProxy reloaded', reason: 'listen other:81 added' });
  });

  test('is left alone when nothing changed', async () => {
    await settled(whoami);
    expect(await bring(whoami)).toBe('settled');
    expect(proxy.loads).toHaveLength(1);
    expect(proxy.applied).toEqual([]);
  });

  test('is started again after it exited', async () => {
    await settled(whoami);
    proxy.crash();
    expect(keeper.loadedPorts()).toEqual(new Set());
    await settled(whoami);
    expect(proxy.isRunning()).toBe(true);
    expect(keeper.changes().lastReload?.what).toBe('HAProxy is not running');
  });

  test('has the ports of its listeners and of the stats page, unless that is left out', async () => {
    expect(keeper.loadedPorts()).toEqual(new Set());
    await bring(whoami);
    expect(keeper.loadedPorts()).toEqual(new Set([8000, 1936]));
    await bring(whoami, ['stats page']);
    expect(keeper.loadedPorts()).toEqual(new Set([8000]));
  });

  test('is reloaded when the stats page goes or comes', async () => {
    await settled(whoami);
    expect(await bring(whoami, ['stats page'])).toBe('changed');
    expect(keeper.changes().lastReload?.what).toBe('frontend stats removed');
    expect(await bring(whoami, ['stats page'])).toBe('settled');
    await pass(2_000);
    await settled(whoami);
  });
});

describe('checks at another pace', () => {
  const paced = [
    '{{#listeners}}listen {{name}}\n{{#servers}}',
    'server {{name}} {{address}} weight {{weight}} check inter {{checkInterval}}\n{{/servers}}{{/listeners}}',
  ].join('');
  const slow: CheckPace = {
    ...basePace,
    tcpMs: 20_000,
    httpMs: 16_000,
    because: '200 client hosts, 2 endpoints here',
  };
  const bringAt = async (model: Model, pace: CheckPace): Promise<void> => {
    for (let round = 0; round < 4; round += 1) {
      const outcome = await keeper.bring({ ...builtWith(model), pace }, signal);
      if (outcome === 'settled') return;
      if (outcome === 'changed') continue;
      if ('waitMs' in outcome) await pass(outcome.waitMs);
      else await outcome.reloading;
    }
    throw new Error('never settled');
  };

  test('are one reload of that reason, whatever the number of servers and what else changes', async () => {
    file = () => Promise.resolve(paced);
    keeper.demandReload('SIGHUP');
    await bringAt(bigger, basePace);
    const before = proxy.loads.length;
    const many = Array.from({ length: 100 }, (_, n) => serverWith({ name: `more-${String(n)}`, port: n + 1 }));
    await bringAt(modelWith(listenerWith({ servers: [serverWith(), second, ...many] }), other), slow);
    expect(proxy.loads).toHaveLength(before + 1);
    expect(keeper.changes().lastReload?.what).toBe(
      'checks every 20s, over HTTP every 16s: 200 client hosts, 2 endpoints here',
    );
    expect(proxy.text.match(/inter 20s/g)).toHaveLength(103);
    await bringAt(modelWith(listenerWith({ servers: [serverWith(), second, ...many] }), other), slow);
    expect(proxy.loads).toHaveLength(before + 1);
  });

  test('of another kind are one reload of that reason', async () => {
    file = () => Promise.resolve(`${paced}{{#listeners}}{{#check}}option httpchk\n{{/check}}{{/listeners}}`);
    keeper.demandReload('SIGHUP');
    const model = modelWith(listenerWith({ check: '/' }));
    await bringAt(model, slow);
    const before = proxy.loads.length;
    await bringAt(model, { ...slow, byDocker: new Set(['whoami:8000']) });
    expect(proxy.loads).toHaveLength(before + 1);
    expect(keeper.changes().lastReload?.what).toMatch(/^checks of whoami:8000 by layer 4 in place of HTTP, since/);
    expect(proxy.text).not.toContain('httpchk');
  });

  test('that are forgotten with their listener are neither a reload nor its reason', async () => {
    file = () => Promise.resolve(paced);
    keeper.demandReload('SIGHUP');
    const byDocker = new Set(['whoami:8000', 'other:81']);
    const checked = modelWith(listenerWith({ check: '/' }));
    await bringAt(checked, { ...slow, byDocker });
    const before = proxy.loads.length;
    await bringAt(checked, { ...slow, byDocker: new Set(['whoami:8000']) });
    expect(proxy.loads).toHaveLength(before);
    await bringAt(modelWith(other), slow);
    expect(proxy.loads).toHaveLength(before + 1);
    expect(keeper.changes().lastReload?.what).not.toMatch(/^checks/);
  });

  test('are no reload where the template has its own', async () => {
    await bringAt(whoami, basePace);
    await bringAt(whoami, slow);
    expect(proxy.loads).toHaveLength(1);
    await bringAt(wider, slow);
    expect(keeper.changes().lastReload?.what).toBe('listen other:81 added');
  });
});

describe('the runtime API', () => {
  test.each<[string, Model, readonly string[]]>([
    ['a drain', drained, [`${first} 10.170.71.226:49153 0`]],
    ['an endpoint more', bigger, [`${first} 10.170.71.226:49153 1`, 'whoami:8000/second 10.170.71.226:2 1']],
    ['another endpoint', modelWith(listenerWith({ servers: [second] })), ['whoami:8000/second 10.170.71.226:2 1']],
    ['the last one gone', modelWith(listenerWith({ servers: [] })), []],
    ['a move', modelWith(listenerWith({ servers: [serverWith({ port: 9 })] })), [`${first} 10.170.71.226:9 1`]],
  ])('takes %s without a reload, and the file agrees with it', async (_what, model, servers) => {
    await settled(whoami);
    await settled(model);
    expect(proxy.loads).toHaveLength(1);
    expect(proxy.servers()).toEqual(servers);
    expect(parseConfiguration(proxy.text)).toEqual(parseConfiguration(textOf(model)));
    expect(keeper.changes()).toMatchObject({ reloads: 0, lastReload: null });
    expect(recorded.lines.at(-1)).toMatchObject({ level: 'info', msg: 'HAProxy changed' });
  });

  test('sets back what somebody changed by hand', async () => {
    await settled(whoami);
    proxy.setWeight(first, 77);
    proxy.drain(first);
    expect(await bring(whoami)).toBe('settled');
    keeper.lookAtAll();
    await settled(whoami);
    expect(proxy.servers()).toEqual([`${first} 10.170.71.226:49153 1`]);
    expect(proxy.loads).toHaveLength(1);
  });

  test('is not asked how things are for a change: it is told', async () => {
    await settled(wider);
    proxy.asked.length = 0;
    await settled(modelWith(listenerWith({ servers: [serverWith(), second] }), other));
    expect(proxy.servers()).toContain('whoami:8000/second 10.170.71.226:2 1');
    expect(proxy.asked).toEqual([]);
  });

  test('is asked of everything when it is told to, after a reload, and after a round that failed', async () => {
    const widest = modelWith(listenerWith(), other, listenerWith({ port: 1 }));
    const changed = modelWith(listenerWith({ servers: [second] }), other, listenerWith({ port: 1 }));
    await settled(wider);
    proxy.asked.length = 0;
    keeper.lookAtAll();
    await bring(wider);
    expect(proxy.asked).toEqual(['all']);
    expect(await bring(widest)).toBe('changed');
    expect(await bring(widest)).toBe('settled');
    expect(proxy.asked).toEqual(['all', 'all']);
    const apply = proxy.apply.bind(proxy);
    proxy.apply = () => Promise.reject(new Error('no answer in 5s'));
    await expect(bring(changed)).rejects.toThrow('no answer in 5s');
    proxy.apply = apply;
    expect(await bring(changed)).toBe('settled');
    expect(proxy.asked).toEqual(['all', 'all', 'all']);
  });

  test('that rejects a command leads to a reload, with its reason, when one is due', async () => {
    await settled(whoami);
    proxy.rejectStep = 'No such server.';
    expect(await bring(drained)).toBe('changed');
    expect(proxy.loads).toHaveLength(2);
    expect(keeper.changes().lastReload?.what).toBe('the runtime API said: No such server.');
  });
});

describe('an endpoint that went, but has connections', () => {
  const gone = modelWith(listenerWith({ servers: [second] }));

  beforeEach(async () => {
    await settled(bigger);
    proxy.connected.add(first);
    expect(await bring(gone)).toBe('settled');
  });

  test('is out of the pool at once, and keeps them', () => {
    expect(proxy.servers()).toContain(`${first} 10.170.71.226:49153 1 maint`);
    expect(proxy.connected).toContain(first);
  });

  test('is asked about by the next round, which may not know whether it was deleted', async () => {
    proxy.asked.length = 0;
    proxy.connected.clear();
    expect(await bring(gone)).toBe('settled');
    expect(proxy.asked).toEqual([['whoami:8000']]);
    expect(proxy.servers()).toEqual(['whoami:8000/second 10.170.71.226:2 1']);
  });

  test('is waited for without a word, and without looking again and again', async () => {
    const told = recorded.lines.length;
    for (let round = 0; round < 5; round += 1) {
      keeper.lookAtAll();
      expect(await bring(gone)).toBe('settled');
    }
    expect(recorded.lines.length).toBe(told);
    proxy.connected.clear();
    keeper.lookAtAll();
    await settled(gone);
    expect(proxy.servers()).toEqual(['whoami:8000/second 10.170.71.226:2 1']);
  });

  test('loses them at the deadline, and goes', async () => {
    await pass(drainDeadlineMs - 1);
    keeper.lookAtAll();
    expect(await bring(gone)).toBe('settled');
    await pass(2);
    keeper.lookAtAll();
    await settled(gone);
    expect(proxy.connected).toEqual(new Set());
    expect(proxy.servers()).toEqual(['whoami:8000/second 10.170.71.226:2 1']);
  });

  test('that comes back is ready again, and its deadline forgotten', async () => {
    await settled(bigger);
    expect(proxy.servers()).toContain(`${first} 10.170.71.226:49153 1`);
    await pass(drainDeadlineMs + 1);
    keeper.lookAtAll();
    expect(await bring(bigger)).toBe('settled');
    expect(proxy.connected).toContain(first);
  });
});

test('other words in comments only are written to the file, without a reload', async () => {
  const commented = createProxyKeeper({
    proxy,
    settings,
    templates: templatesWith(`${template}# {{#listeners}}{{#servers}}{{name}} {{/servers}}{{/listeners}}\n`),
    readTemplates: async () => templatesWith(await file()),
    reloadIntervalMs,
    drainDeadlineMs,
    log: recorded.log,
    meter: recordingMeter().meter,
  });
  await commented.bring(builtWith(whoami), signal);
  const renamed = modelWith(listenerWith({ servers: [second] }));
  await commented.bring(builtWith(renamed), signal);
  expect(proxy.loads).toHaveLength(1);
  expect(proxy.text).toContain('\n# second \n');
});

describe('two reloads', () => {
  const third = modelWith(listenerWith({ servers: [second] }), other, listenerWith({ port: 1 }));

  test('are an interval apart, and a little more so that a fleet does not reload in one beat', async () => {
    await settled(whoami);
    await settled(wider);
    const waitMs = await bring(third);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(reloadIntervalMs * 1.2);
    expect(proxy.loads).toHaveLength(2);
    await pass(Number(waitMs) + 1);
    expect(await bring(third)).toBe('changed');
    expect(proxy.loads).toHaveLength(3);
  });

  test('are not waited for by the endpoints of the listeners that stay, and the file is left to the reload', async () => {
    await settled(whoami);
    await settled(wider);
    const before = proxy.text;
    await bring(third);
    expect(proxy.servers()).toEqual([
      'other:81/0123456789ab 10.170.71.226:49153 1',
      'whoami:8000/second 10.170.71.226:2 1',
    ]);
    expect(proxy.text).toBe(before);
    expect(await bring(third)).toBeTypeOf('number');
  });

  test('do not wait where the first was the start, or where HAProxy is gone', async () => {
    await settled(whoami);
    expect(await bring(wider)).toBe('changed');
    proxy.crash();
    expect(await bring(third)).toBe('changed');
  });
});

describe('while a reload goes on', () => {
  const changed = modelWith(listenerWith({ servers: [second] }), other);
  const moved = `${first} 10.170.71.226:49153 1`;
  let end: (error?: Error) => void;
  let reloading: Promise<void>;

  beforeEach(async () => {
    await settled(whoami);
    const gate = deferred<undefined>();
    proxy.beforeLoad = () => gate.promise;
    end = (error) => {
      proxy.beforeLoad = () => Promise.resolve(undefined);
      if (error === undefined) gate.resolve(undefined);
      else gate.reject(error);
    };
    const outcome = await keeper.bring(builtWith(wider), signal);
    if (typeof outcome === 'string' || !('reloading' in outcome)) throw new Error('no reload was begun');
    reloading = outcome.reloading;
  });

  test('endpoints follow in the worker that still serves, and the file is left to the reload', async () => {
    const before = proxy.text;
    expect(await keeper.bring(builtWith(changed), signal)).toHaveProperty('reloading');
    expect(proxy.servers()).toEqual(['whoami:8000/second 10.170.71.226:2 1']);
    expect(proxy.text).toBe(before);
    end();
    await reloading;
    expect(proxy.servers()).toContain(moved);
    await settled(changed);
    expect(proxy.servers()).toEqual([
      'other:81/0123456789ab 10.170.71.226:49153 1',
      'whoami:8000/second 10.170.71.226:2 1',
    ]);
    expect(parseConfiguration(proxy.text)).toEqual(parseConfiguration(textOf(changed)));
    expect(proxy.loads).toHaveLength(2);
  });

  test('no other is begun, also where HAProxy rejects a step: it may have come to the new worker', async () => {
    proxy.rejectStep = 'No such server.';
    expect(await keeper.bring(builtWith(changed), signal)).toHaveProperty('reloading');
    proxy.rejectStep = null;
    end();
    await reloading;
    await settled(changed);
    expect(proxy.loads).toHaveLength(2);
  });

  test('a step that came to the new worker already is no reason for another', async () => {
    end();
    await reloading;
    await pass(2 * reloadIntervalMs);
    // The new worker serves, and its answer is not here yet.
    const gate = deferred<undefined>();
    const load = proxy.load.bind(proxy);
    proxy.load = async (text) => {
      await load(text);
      await gate.promise;
    };
    const third = listenerWith({ port: 1 });
    const outcome = await keeper.bring(builtWith(modelWith(listenerWith(), other, third)), signal);
    expect(outcome).toHaveProperty('reloading');
    const last = modelWith(listenerWith({ servers: [serverWith(), second] }), other, third);
    expect(await keeper.bring(builtWith(last), signal)).toEqual(outcome);
    gate.resolve(undefined);
    await (outcome as { reloading: Promise<void> }).reloading;
    expect(proxy.servers()).toContain('whoami:8000/second 10.170.71.226:2 1');
    expect(await bring(last)).toBe('settled');
    expect(proxy.loads).toHaveLength(3);
  });

  test('a wish to be without it is heeded at its end', async () => {
    expect(await keeper.bring(builtWith(whoami), signal)).toHaveProperty('reloading');
    end();
    await reloading;
    await pass(2 * reloadIntervalMs);
    await settled(whoami);
    expect(proxy.text).toBe(textOf(whoami));
  });

  test('its ports count as ours, so that nobody looks whether they are free', async () => {
    expect(keeper.loadedPorts()).toEqual(new Set([8000, 81, 1936]));
    end(new Error('the socket did not answer'));
    await reloading;
    // Nobody knows whether the new worker runs: a look would take it for another process.
    expect(keeper.loadedPorts()).toEqual(new Set([8000, 81, 1936]));
  });

  test('that is refused gives its ports back', async () => {
    end(new PortsTakenError([81]));
    await reloading;
    expect(keeper.loadedPorts()).toEqual(new Set([8000, 1936]));
  });

  test('SIGHUP waits for its end', async () => {
    keeper.demandReload('SIGHUP');
    expect(await keeper.bring(builtWith(wider), signal)).toHaveProperty('reloading');
    end();
    await reloading;
    await settled(wider);
    expect(keeper.changes().lastReload?.what).toBe('SIGHUP');
  });

  test('HAProxy that exits is started when it has failed', async () => {
    proxy.crash();
    expect(await keeper.bring(builtWith(wider), signal)).toHaveProperty('reloading');
    end(new Error('no answer'));
    await reloading;
    await settled(wider);
    expect(proxy.isRunning()).toBe(true);
  });
});

describe('a configuration that HAProxy refuses', () => {
  /** For something that no listener is to blame for: it does not take one without listeners either. */
  const refuseSecond = (): void => {
    proxy.refuse = (text) => (text.includes('other') || text === 'frontend stats\n' ? 'unknown keyword' : null);
  };

  test('is told once, and the last good one stands', async () => {
    await settled(whoami);
    refuseSecond();
    expect(await bring(wider)).toBe('changed');
    expect(await bring(wider)).toBe('settled');
    expect(await bring(wider)).toBe('settled');
    expect(errors()).toEqual(['HAProxy refuses the configuration; the last good one stands']);
    expect(keeper.fault()).toBe('unknown keyword');
    expect(keeper.isBehind()).toBe(true);
    expect(proxy.text).toBe(textOf(whoami));
    expect(proxy.isRunning()).toBe(true);
  });

  test('is offered again after a minute, without a word while it is refused, and taken when HAProxy takes it', async () => {
    await settled(whoami);
    refuseSecond();
    await bring(wider);
    await pass(61_000);
    expect(await bring(wider)).toBe('changed');
    expect(await bring(wider)).toBe('settled');
    expect(errors()).toHaveLength(1);
    proxy.refuse = () => null;
    await pass(61_000);
    await settled(wider);
    expect(keeper.fault()).toBeNull();
  });

  test('is forgotten when the model is the running one again', async () => {
    await settled(whoami);
    refuseSecond();
    await bring(wider);
    expect(await bring(whoami)).toBe('settled');
    expect(keeper.fault()).toBeNull();
    await pass(reloadIntervalMs);
    await bring(wider);
    expect(errors()).toHaveLength(2);
  });

  test('does not keep the endpoints of other listeners from following', async () => {
    await settled(whoami);
    refuseSecond();
    await bring(wider);
    await bring(modelWith(listenerWith({ servers: [second] }), other));
    expect(proxy.servers()).toEqual(['whoami:8000/second 10.170.71.226:2 1']);
  });

  test('does not stand in the way of the next', async () => {
    await settled(whoami);
    refuseSecond();
    await bring(wider);
    await pass(reloadIntervalMs);
    await settled(modelWith(listenerWith({ port: 82 })));
    expect(keeper.fault()).toBeNull();
  });

  test('that starts without listeners only is started so', async () => {
    proxy.failLoad = new ConfigurationRefusedError('HAProxy did not start');
    expect(await bring(wider)).toBe('changed');
    expect(proxy.isRunning()).toBe(true);
    expect(proxy.text).toBe('frontend stats\n');
    expect(keeper.fault()).toBe('HAProxy did not start');
    expect(await bring(wider)).toBe('settled');
    expect(proxy.loads).toHaveLength(1);
    await settled(whoami);
    expect(keeper.fault()).toBeNull();
  });

  test('when HAProxy has exited gives way to the one that it took last', async () => {
    await settled(whoami);
    proxy.crash();
    proxy.failLoad = new ConfigurationRefusedError('HAProxy did not start');
    expect(await bring(wider)).toBe('changed');
    expect(proxy.text).toBe(textOf(whoami));
    expect(keeper.fault()).toBe('HAProxy did not start');
  });

  test('for a single listener names it, at the start and later, and says nothing of its own', async () => {
    proxy.refuse = (text) => (text.includes('other') ? 'unknown keyword' : null);
    const refusal = new ListenersRefusedError(new Map([['other:81', 'unknown keyword']]), wider);
    await expect(bring(wider)).rejects.toEqual(refusal);
    expect(proxy.isRunning()).toBe(false);
    await settled(whoami);
    await bring(wider);
    await expect(bring(wider)).rejects.toEqual(refusal);
    expect(proxy.text).toBe(textOf(whoami));
    expect(keeper.isBehind()).toBe(true);
    await settled(whoami);
    expect([keeper.isBehind(), errors()]).toEqual([false, []]);
  });

  test('of a template that was to be read anew is the fault of that, whatever part it is', async () => {
    await settled(wider);
    file = () => Promise.resolve(`${template}# bogus\n`);
    proxy.refuse = (text) => (text.includes('bogus') && text.includes('other') ? 'unknown keyword' : null);
    keeper.demandReload('SIGHUP');
    await settled(wider);
    expect([keeper.fault(), keeper.isBehind()]).toEqual(['unknown keyword', false]);
    expect(proxy.text).toBe(textOf(wider));
  });
});

describe('a load that fails for another reason', () => {
  test('is told, and tried again', async () => {
    await settled(whoami);
    proxy.failLoad = new Error('the socket did not answer');
    expect(await bring(wider)).toBe('changed');
    expect(errors()).toEqual(['the reload failed; it is tried again until it works']);
    await pass(Number(await bring(wider)) + 1);
    await settled(wider);
    expect(recorded.messages('info')).toContain('reloading works again');
  });

  test('for a port that is taken is thrown, so that the model is built without it', async () => {
    proxy.failLoad = new PortsTakenError([8000]);
    await expect(bring(whoami)).rejects.toBeInstanceOf(PortsTakenError);
    expect(keeper.loadedPorts()).toEqual(new Set());
  });
});

test('a reload that only a server asks for is not forgotten while it waits, and one that was refused is told as a fault', async () => {
  file = () => Promise.resolve(template.replace(' check', ' check{{^weight}} backup{{/weight}}'));
  keeper.demandReload('SIGHUP');
  await settled(whoami);
  await settled(wider);
  const waiting = modelWith(listenerWith({ servers: [serverWith({ weight: 0 })] }), other);
  expect(await bring(waiting)).toBeTypeOf('number');
  expect(await bring(waiting)).toBeTypeOf('number');
  await pass(2 * reloadIntervalMs);
  proxy.refuse = (text) => (text.includes('backup') || text === 'frontend stats\n' ? 'backup is not for you' : null);
  expect(await bring(waiting)).toBe('changed');
  const before = proxy.text;
  expect(await bring(waiting)).toBe('settled');
  expect(keeper.fault()).toBe('backup is not for you');
  expect(proxy.text).toBe(before);
});

describe('SIGHUP', () => {
  const next = `# new\n${template}`;

  test('starts HAProxy with the mended template while it can not start with the old one', async () => {
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    await settled(whoami);
    expect(proxy.text).toBe(`# new\n${textOf(whoami)}`);
  });

  test('reads the template anew and reloads, although no service changed', async () => {
    await settled(whoami);
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    await settled(whoami);
    expect(proxy.text).toBe(`# new\n${textOf(whoami)}`);
    expect(keeper.changes().lastReload?.what).toBe('SIGHUP');
    expect(await bring(whoami)).toBe('settled');
    expect(proxy.loads).toHaveLength(2);
    await pass(2 * reloadIntervalMs);
    await settled(wider);
    expect(proxy.text).toBe(`# new\n${textOf(wider)}`);
  });

  test.each<[string, () => Promise<string>, string]>([
    ['HAProxy refuses', () => Promise.resolve(`# bad\n${template}`), 'unknown keyword'],
    ['can not be rendered', () => Promise.resolve('{{#listeners}}'), 'the template can not be rendered'],
    ['can not be read', () => Promise.reject(new SettingError('TEMPLATE is not there')), 'TEMPLATE is not there'],
  ])('keeps the old template when the new one %s, and tells the fault once', async (_what, read, fault) => {
    await settled(whoami);
    proxy.refuse = (text) => (text.includes('bad') ? 'unknown keyword' : null);
    file = read;
    keeper.demandReload('SIGHUP');
    await bring(whoami);
    expect(keeper.fault()).toContain(fault);
    // Services keep following, in the old form; the fault stands until a template is taken.
    await settled(wider);
    expect(keeper.fault()).toContain(fault);
    expect(proxy.text).toBe(textOf(wider));
    expect(errors()).toEqual(['the template was not taken; the last good one stands']);
  });

  test('does not wait for the reload interval', async () => {
    await settled(whoami);
    await settled(wider);
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    await settled(wider);
    expect(proxy.text).toBe(`# new\n${textOf(wider)}`);
  });

  test('takes the mended template the next time', async () => {
    await settled(whoami);
    file = () => Promise.resolve('{{#listeners}}');
    keeper.demandReload('SIGHUP');
    await bring(whoami);
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    await settled(whoami);
    expect(proxy.text).toContain('# new');
    expect(keeper.fault()).toBeNull();
  });

  test('tries again when the reload fails for a reason that passes', async () => {
    await settled(whoami);
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    proxy.failLoad = new Error('the socket did not answer');
    // The loop does as much after a failure, or after "changed".
    for (let round = 0; round < 3; round += 1) await bring(whoami).catch(() => undefined);
    expect(proxy.text).toContain('# new');
  });

  test('does not lose the template when a port of a new listener is taken', async () => {
    await settled(whoami);
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    proxy.failLoad = new PortsTakenError([81]);
    const withTaken = modelWith(listenerWith(), listenerWith({ service: 'taken', port: 81 }));
    await expect(bring(withTaken)).rejects.toBeInstanceOf(PortsTakenError);
    for (let round = 0; round < 3; round += 1) await bring(whoami);
    expect(proxy.text).toContain('# new');
  });

  test('before HAProxy runs is honoured when it does', async () => {
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    await bring(whoami);
    await bring(whoami);
    expect(proxy.text).toContain('# new');
    expect(await bring(whoami)).toBe('settled');
  });
});
