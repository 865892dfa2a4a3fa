import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createReconcileLoop, type QuietPeriod } from '../../../src/daemon/reconcile-loop.js';
import { deferred } from '../support/deferred.js';
import { recordingLog } from '../support/log.js';
import { pass, settle, until } from '../support/time.js';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

type Reconcile = (reasons: readonly string[]) => Promise<void>;

function start({
  quiet = { leastMs: 10, mostMs: 100 },
  reconcile = () => Promise.resolve(),
}: { quiet?: QuietPeriod; reconcile?: Reconcile } = {}): {
  trigger: (reason: string) => void;
  /** The reasons of each attempt. */
  attempts: (readonly string[])[];
  run: Promise<void>;
  stop: () => void;
} {
  const controller = new AbortController();
  const loop = createReconcileLoop({ quiet, what: 'reconciling', log: recordingLog().log });
  const attempts: (readonly string[])[] = [];
  const run = loop.run((reasons) => {
    attempts.push(reasons);
    return reconcile(reasons);
  }, controller.signal);
  run.catch(() => undefined);
  return {
    trigger: (reason) => {
      loop.trigger(reason);
    },
    attempts,
    run,
    stop: () => {
      controller.abort();
    },
  };
}

describe('the quiet period', () => {
  test('does nothing without a trigger', async () => {
    const { attempts, stop } = start();
    await pass(60_000);
    expect(attempts).toEqual([]);
    stop();
  });

  test('gathers triggers that come in a row, each reason once', async () => {
    const { trigger, attempts, stop } = start();
    trigger('a');
    await pass(9);
    trigger('b');
    trigger('a');
    await pass(9);
    expect(attempts).toEqual([]);
    await pass(1);
    expect(attempts).toEqual([['a', 'b']]);
    stop();
  });

  test('ends at the most after the first trigger, although more keep coming', async () => {
    const { trigger, attempts, stop } = start();
    for (let ms = 0; ms < 100; ms += 5) {
      trigger(`at ${String(ms)}`);
      expect(attempts).toEqual([]);
      await pass(5);
    }
    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toHaveLength(20);
    stop();
  });

  test('may be none', async () => {
    const { trigger, attempts, stop } = start({ quiet: { leastMs: 0, mostMs: 0 } });
    trigger('a');
    await settle();
    expect(attempts).toEqual([['a']]);
    stop();
  });

  test('counts triggers from before the loop ran', async () => {
    const loop = createReconcileLoop({ quiet: { leastMs: 10, mostMs: 10 }, what: 'x', log: recordingLog().log });
    loop.trigger('early');
    const controller = new AbortController();
    const attempts: (readonly string[])[] = [];
    const run = loop.run((reasons) => {
      attempts.push(reasons);
      return Promise.resolve();
    }, controller.signal);
    await until('an attempt', () => attempts.length === 1);
    expect(attempts).toEqual([['early']]);
    controller.abort();
    await run;
  });
});

describe('one at a time', () => {
  test('a trigger while it acts leads to one more look, not to a second at once', async () => {
    const first = deferred();
    let underWay = 0;
    const { trigger, attempts, stop } = start({
      reconcile: async () => {
        underWay += 1;
        expect(underWay).toBe(1);
        if (attempts.length === 1) await first.promise;
        underWay -= 1;
      },
    });
    trigger('a');
    await until('the first', () => attempts.length === 1);
    trigger('b');
    trigger('c');
    await pass(1_000);
    expect(attempts).toEqual([['a']]);
    first.resolve();
    await until('the second', () => attempts.length === 2);
    await pass(1_000);
    expect(attempts).toEqual([['a'], ['b', 'c']]);
    stop();
  });
});

describe('a failure', () => {
  test('is tried again with its reasons and those that came since', async () => {
    let failures = 2;
    const { trigger, attempts, stop } = start({
      reconcile: () => {
        failures -= 1;
        return failures < 0 ? Promise.resolve() : Promise.reject(new Error('it broke'));
      },
    });
    trigger('a');
    await until('the first', () => attempts.length === 1);
    trigger('b');
    await until('the third', () => attempts.length === 3);
    await pass(60_000);
    expect(attempts).toEqual([['a'], ['a', 'b'], ['a', 'b']]);
    stop();
  });

  test('leaves nothing behind for the attempt after the next trigger', async () => {
    let failures = 1;
    const { trigger, attempts, stop } = start({
      reconcile: () => {
        failures -= 1;
        return failures < 0 ? Promise.resolve() : Promise.reject(new Error('it broke'));
      },
    });
    trigger('a');
    await until('the second', () => attempts.length === 2);
    trigger('b');
    await until('the third', () => attempts.length === 3);
    expect(attempts).toEqual([['a'], ['a'], ['b']]);
    stop();
  });
});

describe('when it is cancelled, the loop ends without an error', () => {
  test('while it waits for a trigger', async () => {
    const { run, stop } = start();
    await settle();
    stop();
    await expect(run).resolves.toBeUndefined();
  });

  test('in the quiet period', async () => {
    const { run, stop, trigger, attempts } = start();
    await settle();
    trigger('a');
    await pass(5);
    stop();
    await expect(run).resolves.toBeUndefined();
    expect(attempts).toEqual([]);
  });

  test('between two attempts', async () => {
    const { run, stop, trigger, attempts } = start({ reconcile: () => Promise.reject(new Error('it broke')) });
    trigger('a');
    await until('the first', () => attempts.length === 1);
    stop();
    await expect(run).resolves.toBeUndefined();
  });
});
