import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SettingError } from '../../../src/core/errors.js';
import type { Templates } from '../../../src/core/haproxy/templates.js';
import type { Model } from '../../../src/core/haproxy/model.js';
import { createFileHands } from '../../../src/daemon/file-hands.js';
import type { Hands, Outcome } from '../../../src/daemon/hands.js';
import { ConfigurationRefusedError } from '../../../src/ports/proxy.js';
import { recordingLog } from '../support/log.js';
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
let onDisk: () => Templates;
let recorded: ReturnType<typeof recordingLog>;
let hands: Hands;

beforeEach(() => {
  vi.useFakeTimers();
  [file, runs, refused, failure] = [null, [], null, null];
  onDisk = () => templatesWith(template);
  recorded = recordingLog();
  hands = createFileHands({
    output: {
      take: (text) => {
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

  test('that fails is run again until it works, and told of once', async () => {
    failure = 'EXEC ended with 1';
    for (let n = 0; n < 3; n += 1) {
      expect(await bring(shop)).toEqual({ waitMs: expect.any(Number) as number });
      vi.advanceTimersByTime(10_000);
    }
    failure = null;
    expect(await bring(shop)).toBe('settled');
    expect(runs).toEqual(['shop']);
    expect(recorded.messages()).toEqual([
      'EXEC failed; it is run again until it works',
      'EXEC works again',
      'the command ran',
    ]);
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
