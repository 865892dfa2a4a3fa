import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SettingError } from '../../../src/core/errors.js';
import type { Templates } from '../../../src/core/haproxy/templates.js';
import type { Model } from '../../../src/core/haproxy/model.js';
import { createFileHands } from '../../../src/daemon/file-hands.js';
import type { Hands, Outcome } from '../../../src/daemon/hands.js';
import { ConfigurationRefusedError } from '../../../src/ports/proxy.js';
import { recordingLog } from '../support/log.js';
import { recordingMeter } from '../support/meter.js';
import { listenerWith, modelWith } from '../support/models.js';
import { builtWith, proxySettingsWith } from '../support/settings.js';
import { templatesWith } from '../support/templates.js';

const { signal } = new AbortController();
const shop = modelWith(listenerWith({ service: 'shop' }));
const blog = modelWith(listenerWith({ service: 'blog' }));
const template = '{{#listeners}}{{service}}{{/listeners}}{{#stats}}!{{/stats}}';

let file: string | null;
let runs: string[];
let refused: string | null;
let failure: string | null;
/** Why the file can't be written, or the check came to no end. */
let broken: string | null;
let onDisk: () => Templates;
let recorded: ReturnType<typeof recordingLog>;
let hands: Hands;

beforeEach(() => {
  vi.useFakeTimers();
  [file, runs, refused, failure, broken] = [null, [], null, null, null];
  onDisk = () => templatesWith(template);
  recorded = recordingLog();
  hands = createFileHands({
    output: {
      read: () => Promise.resolve(file),
      take: (text) => {
        if (broken !== null) return Promise.reject(new Error(broken));
        if (refused !== null) return Promise.reject(new ConfigurationRefusedError(refused));
        file = text;
        return Promise.resolve();
      },
      tell: () => {
        if (failure !== null) return Promise.reject(new Error(failure));
        runs.push(file ?? '');
        return Promise.resolve();
      },
    },
    path: '/etc/x.conf',
    settings: proxySettingsWith(),
    templates: onDisk(),
    readTemplates: () =>
      new Promise((resolve) => {
        resolve(onDisk());
      }),
    intervalMs: 1_000,
    log: recorded.log,
    meter: recordingMeter().meter,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const bring = (model: Model): Promise<Outcome> => hands.bring(builtWith(model), signal);

describe('the command', () => {
  test('runs at the start and after each change, and not again', async () => {
    expect(hands.isRunning()).toBe(false);
    expect(await bring(shop)).toBe('settled');
    expect(await bring(shop)).toBe('settled');
    expect([file, runs, hands.isRunning()]).toEqual(['shop', ['shop'], true]);
    vi.advanceTimersByTime(1_200);
    expect(await bring(blog)).toBe('settled');
    expect(runs).toEqual(['shop', 'blog']);
    expect(await hands.status(signal)).toMatchObject({
      output: { path: '/etc/x.conf', runs: 2, lastRun: { what: '/etc/x.conf changed' } },
      servers: null,
    });
  });

  test('keeps its distance, while the file is true already', async () => {
    await bring(shop);
    expect(await bring(blog)).toEqual({ waitMs: expect.any(Number) as number });
    expect([file, runs]).toEqual(['blog', ['shop']]);
    vi.advanceTimersByTime(1_200);
    expect(await bring(blog)).toBe('settled');
    expect(runs).toEqual(['shop', 'blog']);
  });

  test('that fails is run again until it works, told of once, and a fault meanwhile', async () => {
    failure = 'EXEC ended with 1';
    for (let n = 0; n < 3; n += 1) {
      expect(await bring(shop)).toEqual({ waitMs: expect.any(Number) as number });
      expect([hands.fault(), hands.isRunning()]).toEqual(['EXEC ended with 1', false]);
      vi.advanceTimersByTime(10_000);
    }
    failure = null;
    expect(await bring(shop)).toBe('settled');
    expect([runs, hands.fault(), hands.isRunning()]).toEqual([['shop'], null, true]);
    expect(recorded.messages()).toEqual([
      'EXEC failed; it is run again until it works',
      'the command ran',
      'EXEC works again',
    ]);
  });
});

describe('the file', () => {
  test('that can not be written is tried again, and a fault meanwhile', async () => {
    broken = 'no space is left';
    expect(await bring(shop)).toEqual({ waitMs: expect.any(Number) as number });
    expect(hands.fault()).toBe('no space is left');
    broken = null;
    expect(await bring(shop)).toEqual({ waitMs: expect.any(Number) as number });
    vi.advanceTimersByTime(10_000);
    await bring(shop);
    expect([file, runs, hands.fault()]).toEqual(['shop', ['shop'], null]);
  });

  test('that somebody changed or removed is put back at the next look at everything', async () => {
    await bring(shop);
    for (const changed of ['by hand', null]) {
      vi.advanceTimersByTime(10_000);
      file = changed;
      await bring(shop);
      expect(file).toBe(changed);
      hands.lookAtAll();
      await bring(shop);
      expect(file).toBe('shop');
    }
    expect(runs).toEqual(['shop', 'shop', 'shop']);
  });
});

describe('what the check refuses', () => {
  test('does not become the file, and is not offered again for a minute', async () => {
    await bring(shop);
    refused = 'EXEC_CHECK ended with 1: no';
    expect(await bring(blog)).toBe('settled');
    expect([file, hands.fault(), hands.isBehind()]).toEqual(['shop', 'EXEC_CHECK ended with 1: no', true]);
    refused = null;
    await bring(blog);
    expect(file).toBe('shop');
    vi.advanceTimersByTime(61_000);
    await bring(blog);
    expect([file, hands.fault(), hands.isBehind()]).toEqual(['blog', null, false]);
  });

  test('is offered again at once where the template is read anew', async () => {
    refused = 'no';
    await bring(shop);
    refused = null;
    hands.demandReload('SIGHUP');
    await bring(shop);
    expect(file).toBe('shop');
  });

  test('at the start leaves everything as it was', async () => {
    refused = 'no';
    expect(await bring(shop)).toBe('settled');
    expect([runs, hands.isRunning()]).toEqual([[], false]);
  });
});

describe('the template', () => {
  test('is read anew where that is demanded', async () => {
    await bring(shop);
    onDisk = () => templatesWith('new {{#listeners}}{{service}}{{/listeners}}');
    await bring(shop);
    expect(file).toBe('shop');
    hands.demandReload('SIGHUP');
    await bring(shop);
    expect(file).toBe('new shop');
  });

  test('that can not be read, or rendered, leaves the last good one', async () => {
    await bring(shop);
    onDisk = () => {
      throw new SettingError('TEMPLATE "/x" can\'t be read');
    };
    hands.demandReload('SIGHUP');
    await bring(shop);
    expect([file, hands.fault()]).toEqual(['shop', 'TEMPLATE "/x" can\'t be read']);
    onDisk = () => templatesWith('{{#listeners}}');
    hands.demandReload('SIGHUP');
    await bring(shop);
    expect(file).toBe('shop');
    expect(hands.fault()).toMatch(/^the template can not be rendered: Unclosed section/);
    onDisk = () => templatesWith(template);
    hands.demandReload('SIGHUP');
    await bring(shop);
    expect(hands.fault()).toBeNull();
  });
});
