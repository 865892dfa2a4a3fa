import { beforeEach, describe, expect, test } from 'vitest';
import { SettingError } from '../../../src/core/errors.js';
import { emptyModel, type Model } from '../../../src/core/haproxy/model.js';
import { createProxyKeeper, type ProxyKeeper } from '../../../src/daemon/proxy-keeper.js';
import { PortsTakenError } from '../../../src/ports/proxy.js';
import { FakeProxy } from '../support/fake-proxy.js';
import { recordingLog } from '../support/log.js';
import { listenerWith, modelWith, serverWith } from '../support/models.js';

const { signal } = new AbortController();
const settings = {
  bind: ['*'],
  statsBind: { host: '*', port: 1936 },
  statsAuth: null,
  runtimeSocket: '/run/runtime.sock',
  serverStateFile: '/run/state',
  hardStopAfterSeconds: 900,
};
const template = '{{#listeners}}{{name}}:{{#servers}} {{name}}={{weight}}{{/servers}}\n{{/listeners}}';

const whoami = modelWith(listenerWith());
const drained = modelWith(listenerWith({ servers: [serverWith({ weight: 0 })] }));
const bigger = modelWith(listenerWith({ servers: [serverWith(), serverWith({ name: 'second' })] }));

let proxy: FakeProxy;
let keeper: ProxyKeeper;
let recorded: ReturnType<typeof recordingLog>;
/** The template as it stands on disk. */
let file: () => Promise<string>;

beforeEach(() => {
  proxy = new FakeProxy();
  recorded = recordingLog();
  file = () => Promise.resolve(template);
  keeper = createProxyKeeper({ proxy, settings, template, readTemplate: () => file(), log: recorded.log });
});

function bring(model: Model, statsBarred = false): Promise<'settled' | 'changed'> {
  return keeper.bring({ model, statsBarred }, signal);
}

/** Brings it there, and sees that it has settled. */
async function settled(model: Model): Promise<void> {
  expect(await bring(model)).toBe('changed');
  expect(await bring(model)).toBe('settled');
}

function errors(): string[] {
  return recorded.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
}

describe('HAProxy', () => {
  test('is started with an empty model too: the stats page is worth having', async () => {
    await settled(emptyModel);
    expect(proxy.loads).toEqual([{ text: '', model: emptyModel }]);
    expect(keeper.state()).toEqual({ reloads: 0, lastReload: null, fault: null });
    expect(recorded.messages('info')).toEqual(['HAProxy started']);
  });

  test('is reloaded once for a change, with its reason', async () => {
    await settled(whoami);
    await settled(bigger);
    expect(proxy.loads).toHaveLength(2);
    expect(proxy.text).toBe('whoami:8000: 0123456789ab=1 second=1\n');
    expect(keeper.state()).toMatchObject({ reloads: 1, lastReload: { reason: 'server whoami:8000/second added' } });
    expect(recorded.lines.at(-1)).toMatchObject({ msg: 'HAProxy reloaded', reason: 'server whoami:8000/second added' });
  });

  test('is left alone when nothing changed', async () => {
    await settled(whoami);
    expect(await bring(whoami)).toBe('settled');
    expect(proxy.loads).toHaveLength(1);
  });

  test('is started again after it exited', async () => {
    await settled(whoami);
    proxy.crash();
    expect(keeper.loadedPorts()).toEqual(new Set());
    await settled(whoami);
    expect(proxy.isRunning()).toBe(true);
    expect(keeper.state().lastReload?.reason).toBe('HAProxy is not running');
  });

  test('has the ports of its listeners and of the stats page, unless that is left out', async () => {
    expect(keeper.loadedPorts()).toEqual(new Set());
    await bring(whoami);
    expect(keeper.loadedPorts()).toEqual(new Set([8000, 1936]));
    await bring(whoami, true);
    expect(keeper.loadedPorts()).toEqual(new Set([8000]));
  });

  test('is reloaded when the stats page goes or comes', async () => {
    await settled(whoami);
    expect(await bring(whoami, true)).toBe('changed');
    expect(keeper.state().lastReload?.reason).toBe('template or settings changed');
    expect(await bring(whoami, true)).toBe('settled');
    await settled(whoami);
  });
});

describe('the runtime API', () => {
  test('takes a drain, without a reload, and the file agrees with it', async () => {
    await settled(whoami);
    await settled(drained);
    expect(proxy.loads).toHaveLength(1);
    expect(proxy.applied).toEqual([
      [{ kind: 'set weight', listener: 'whoami:8000', server: '0123456789ab', weight: 0 }],
    ]);
    expect(proxy.text).toBe('whoami:8000: 0123456789ab=0\n');
    expect(recorded.lines.at(-1)).toMatchObject({ commands: ['set server whoami:8000/0123456789ab weight 0'] });
  });

  test('sets back what somebody changed by hand', async () => {
    await settled(whoami);
    proxy.setWeight('whoami:8000', '0123456789ab', 77);
    await settled(whoami);
    expect(proxy.loads).toHaveLength(1);
  });

  test('that rejects a command leads to a reload, with its reason', async () => {
    await settled(whoami);
    proxy.rejectStep = '"set server": No such server.';
    await settled(drained);
    expect(proxy.loads).toHaveLength(2);
    expect(keeper.state().lastReload?.reason).toBe('the runtime API refused "set server": No such server.');
  });
});

describe('a configuration that HAProxy refuses', () => {
  const refuseSecond = (): void => {
    proxy.refuse = (text) => (text.includes('second') ? 'parsing [haproxy.cfg:7]: unknown keyword' : null);
  };

  test('is told once, and the last good one stands', async () => {
    await settled(whoami);
    refuseSecond();
    expect(await bring(bigger)).toBe('settled');
    expect(await bring(bigger)).toBe('settled');
    expect(await bring(bigger)).toBe('settled');
    expect(errors()).toEqual(['HAProxy refuses the configuration; the last good one stands']);
    expect(keeper.state().fault).toBe('parsing [haproxy.cfg:7]: unknown keyword');
    expect(proxy.model).toBe(whoami);
    expect(proxy.isRunning()).toBe(true);
  });

  test('is forgotten when the model is the running one again', async () => {
    await settled(whoami);
    refuseSecond();
    await bring(bigger);
    expect(await bring(whoami)).toBe('settled');
    expect(keeper.state().fault).toBeNull();
    await bring(bigger);
    expect(errors()).toHaveLength(2);
  });

  test('does not stand in the way of the next', async () => {
    await settled(whoami);
    refuseSecond();
    await bring(bigger);
    const other = modelWith(listenerWith({ port: 81 }));
    await settled(other);
    expect(keeper.state().fault).toBeNull();
  });

  test('at the start leads to a start without listeners', async () => {
    refuseSecond();
    expect(await bring(bigger)).toBe('settled');
    expect(proxy.isRunning()).toBe(true);
    expect(proxy.model).toEqual(emptyModel);
    expect(keeper.state().fault).toBe('parsing [haproxy.cfg:7]: unknown keyword');
    expect(await bring(bigger)).toBe('settled');
    expect(proxy.loads).toHaveLength(1);
    await settled(whoami);
    expect(keeper.state().fault).toBeNull();
  });
});

describe('a load that fails for another reason', () => {
  test('is thrown, so that it is tried again', async () => {
    await settled(whoami);
    proxy.failLoad = new Error('the socket did not answer');
    await expect(bring(bigger)).rejects.toThrow('the socket did not answer');
    await settled(bigger);
  });

  test('for a port that is taken is thrown, so that the model is built without it', async () => {
    proxy.failLoad = new PortsTakenError([8000]);
    await expect(bring(whoami)).rejects.toBeInstanceOf(PortsTakenError);
    expect(keeper.loadedPorts()).toEqual(new Set());
  });
});

describe('SIGHUP', () => {
  const next = `# new\n${template}`;

  test('starts HAProxy with the mended template while it can not start with the old one', async () => {
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    await settled(whoami);
    expect(proxy.text).toBe('# new\nwhoami:8000: 0123456789ab=1\n');
  });

  test('reads the template anew and reloads, although no service changed', async () => {
    await settled(whoami);
    file = () => Promise.resolve(next);
    keeper.demandReload('SIGHUP');
    await settled(whoami);
    expect(proxy.text).toBe('# new\nwhoami:8000: 0123456789ab=1\n');
    expect(keeper.state().lastReload?.reason).toBe('SIGHUP');
    expect(await bring(whoami)).toBe('settled');
    expect(proxy.loads).toHaveLength(2);
    await settled(bigger);
    expect(proxy.text).toBe('# new\nwhoami:8000: 0123456789ab=1 second=1\n');
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
    expect(keeper.state().fault).toContain(fault);
    // Services keep following, in the old form; the fault stands until a template is taken.
    await settled(bigger);
    expect(keeper.state().fault).toContain(fault);
    expect(proxy.text).toBe('whoami:8000: 0123456789ab=1 second=1\n');
    expect(errors()).toEqual(['the template was not taken; the last good one stands']);
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
    expect(keeper.state().fault).toBeNull();
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
