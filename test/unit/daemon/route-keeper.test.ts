import { beforeEach, describe, expect, test } from 'vitest';
import { routesOf, withSteps, type Routes, type RouteStep } from '../../../src/core/haproxy/routes.js';
import type { Model } from '../../../src/core/haproxy/model.js';
import type { Outcome } from '../../../src/daemon/hands.js';
import type { ProxyKeeper } from '../../../src/daemon/proxy-keeper.js';
import { createRouteKeeper } from '../../../src/daemon/route-keeper.js';
import { recordingLog } from '../support/log.js';
import { listenerWith, modelWith } from '../support/models.js';
import { builtWith } from '../support/settings.js';

const { signal } = new AbortController();
const shop = listenerWith({ service: 'shop', mode: 'http', routes: ['shop.example/'] });
const renamed = listenerWith({ service: 'store', port: 8001, mode: 'http', routes: ['shop.example/'] });

let outcome: Outcome;
let loaded: Model;
let isRunning: boolean;
/** What file and worker have; null where the worker has no such map. */
let file: Routes;
let worker: Routes | null;
let reads: number;
let applied: (readonly RouteStep[])[];
let rejected: string | null;
let unwritten: string | null;
let recorded: ReturnType<typeof recordingLog>;
let keeper: ProxyKeeper;

beforeEach(() => {
  outcome = 'settled';
  loaded = modelWith(shop, renamed);
  isRunning = true;
  file = new Map();
  worker = new Map();
  reads = 0;
  applied = [];
  rejected = null;
  unwritten = null;
  recorded = recordingLog();
  const inner = {
    bring: () => Promise.resolve(outcome),
    last: () => ({ model: loaded, isRunning }),
    lookAtAll: () => undefined,
  } as Partial<ProxyKeeper> as ProxyKeeper;
  keeper = createRouteKeeper({
    keeper: inner,
    log: recorded.log,
    map: {
      write: (routes) => {
        if (unwritten === null) file = routes;
        return Promise.resolve(unwritten);
      },
      read: () => {
        reads += 1;
        return Promise.resolve(worker);
      },
      apply: (steps) => {
        if (rejected !== null) return Promise.resolve(rejected);
        applied.push(steps);
        worker = withSteps(worker ?? new Map(), steps);
        return Promise.resolve(null);
      },
    },
  });
});

const bring = (model: Model): Promise<Outcome> => keeper.bring(builtWith(model), signal);

describe('the routes', () => {
  test('are in the file and in the worker; it is asked once', async () => {
    await bring(modelWith(shop));
    expect([file, worker]).toEqual([routesOf(modelWith(shop)), routesOf(modelWith(shop))]);
    await bring(modelWith(shop));
    await bring(modelWith(renamed));
    expect(worker).toEqual(new Map([['shop.example/', 'store:8001']]));
    await bring(modelWith());
    expect(worker).toEqual(new Map());
    expect([reads, applied.length]).toEqual([1, 3]);
    expect(recorded.messages().filter((message) => message === 'routes changed without a reload')).toHaveLength(3);
  });

  test('are in the file before anything is loaded, and are no concern of a worker that reads them', async () => {
    outcome = 'changed';
    await bring(modelWith(shop));
    expect([file.size, reads]).toEqual([1, 0]);
  });

  test('are no concern of a HAProxy that does not run', async () => {
    isRunning = false;
    outcome = { waitMs: 100 };
    await bring(modelWith(shop));
    expect([file.size, reads]).toEqual([1, 0]);
  });

  test('are asked for again after a reload, in every round of one, and when all is looked at', async () => {
    await bring(modelWith(shop));
    outcome = { reloading: Promise.resolve() };
    await bring(modelWith(shop));
    outcome = 'settled';
    await bring(modelWith(shop));
    expect(reads).toBe(3);
    keeper.lookAtAll();
    worker = new Map([['by.hand/', 'x:1']]);
    await bring(modelWith(shop));
    expect([reads, worker]).toEqual([4, routesOf(modelWith(shop))]);
  });

  test('stay until the new listener is loaded', async () => {
    await bring(modelWith(shop));
    loaded = modelWith(shop);
    outcome = { waitMs: 500 };
    await bring(modelWith(renamed));
    expect(worker).toEqual(routesOf(modelWith(shop)));
    expect(file).toEqual(routesOf(modelWith(renamed)));
  });

  test('wait for a listener that was in mode tcp', async () => {
    loaded = modelWith({ ...shop, mode: 'tcp' });
    await bring(modelWith(shop));
    expect([file.size, worker]).toEqual([1, new Map()]);
  });

  test('are not missed where a template has no entrance', async () => {
    worker = null;
    await bring(modelWith(shop));
    expect(applied).toEqual([]);
  });

  test('that HAProxy rejects are told of once, and tried again', async () => {
    rejected = 'out of memory';
    await bring(modelWith(shop));
    await bring(modelWith(shop));
    rejected = null;
    await bring(modelWith(shop));
    expect(worker).toEqual(routesOf(modelWith(shop)));
    expect(recorded.messages()).toEqual([
      'HAProxy did not take a change of the routes',
      'HAProxy has all routes',
      'routes changed without a reload',
    ]);
  });

  test('reach the worker while the file can not be written', async () => {
    unwritten = 'no space is left';
    await bring(modelWith(shop));
    expect([file.size, worker]).toEqual([0, routesOf(modelWith(shop))]);
    expect(recorded.messages()).toContain('the file of the routes stays behind; clients see nothing of it');
  });
});
