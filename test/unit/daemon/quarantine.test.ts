import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Model } from '../../../src/core/haproxy/model.js';
import { createQuarantine, type Last, type Quarantine } from '../../../src/daemon/quarantine.js';
import { listenerWith, modelWith, serverWith } from '../support/models.js';
import { pass } from '../support/time.js';

const name = 'whoami:8000';
const reason = 'unknown keyword';
const before = listenerWith({ servers: [serverWith({ name: 'old' })] });
const asked = listenerWith({ balance: 'random', servers: [serverWith({ name: 'new' })] });
const other = listenerWith({ service: 'other', port: 81 });
let quarantine: Quarantine;
let last: Last;

beforeEach(() => {
  vi.useFakeTimers();
  quarantine = createQuarantine();
  last = { model: modelWith(), isRunning: true };
});
afterEach(() => {
  vi.useRealTimers();
});

let offered: Model;
const offerOf = (model: Model, as = last): Model => (offered = quarantine.offerOf(model, as));
const refuse = (): void => {
  quarantine.refuse(new Map([[name, reason]]), offered);
};

test('a model of which nothing was refused is offered as it is', () => {
  const model = modelWith(asked, other);
  expect(offerOf(model)).toBe(model);
});

describe('a listener that was refused', () => {
  test('and never taken is left out, with the reason, and the others stay', () => {
    offerOf(modelWith(asked, other), last);
    refuse();
    const offered = offerOf(modelWith(asked, other), last);
    expect(offered.listeners).toEqual([other]);
    expect(offered.refused).toEqual([{ key: name, reason: `HAProxy refuses it: ${reason}` }]);
  });

  test('goes on with what it asked before, then with the servers of before too, then not at all if HAProxy does not run', () => {
    const model = modelWith(before);
    const offer = (isRunning: boolean): unknown => offerOf(modelWith(asked), { model, isRunning }).listeners[0];
    expect(offer(true)).toBe(asked);
    refuse();
    expect(offer(true)).toEqual({ ...asked, balance: 'roundrobin' });
    refuse();
    expect(offer(true)).toEqual(before);
    refuse();
    // What runs is never taken away.
    expect(offer(true)).toEqual(before);
    expect(offer(false)).toBeUndefined();
  });

  test('is offered as it is when it asks for something else', () => {
    offerOf(modelWith(asked), last);
    refuse();
    const changed = listenerWith({ balance: 'source' });
    expect(offerOf(modelWith(changed), last)).toEqual(modelWith(changed));
    expect(offerOf(modelWith(asked), last)).toEqual(modelWith(asked));
  });

  test('is offered again after a minute, stays a problem until it is taken, and if not is as it was', async () => {
    last = { model: modelWith(before), isRunning: true };
    offerOf(modelWith(asked), last);
    refuse();
    const told = offerOf(modelWith(asked), last);
    await pass(61_000);
    const again = offerOf(modelWith(asked), last);
    expect(again).toEqual({ ...told, listeners: [asked] });
    refuse();
    expect(offerOf(modelWith(asked), last)).toEqual(told);
    await pass(61_000);
    offerOf(modelWith(asked), last);
    quarantine.accept();
    expect(offerOf(modelWith(asked), last)).toEqual(modelWith(asked));
  });

  test('is offered at once after HAProxy began anew', () => {
    offerOf(modelWith(asked), last);
    refuse();
    expect(offerOf(modelWith(asked), last).listeners).toEqual([]);
    quarantine.offerAgain();
    expect(offerOf(modelWith(asked), last).listeners).toEqual([asked]);
  });

  test('and corrected meanwhile is not concerned', () => {
    const model = offerOf(modelWith(asked));
    const corrected = modelWith(listenerWith({ balance: 'source' }));
    offerOf(corrected);
    quarantine.refuse(new Map([[name, reason]]), model);
    expect(offerOf(corrected)).toEqual(corrected);
  });

  test('is forgotten when it goes', () => {
    offerOf(modelWith(asked), last);
    refuse();
    offerOf(modelWith(), last);
    expect(offerOf(modelWith(asked), last)).toEqual(modelWith(asked));
  });
});
