import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandOf } from '../../../../src/core/haproxy/commands.js';
import { modelOf, type Listener, type Model } from '../../../../src/core/haproxy/model.js';
import { planOf, type Desired, type Observed, type Plan } from '../../../../src/core/haproxy/plan.js';
import { anyEntries } from '../../support/arbitraries.js';
import { listenerWith, modelWith, serverWith } from '../../support/models.js';
import { catalogWith } from '../../support/registrations.js';

function weightsOf(model: Model): Observed['weights'] {
  return new Map(
    model.listeners.map(({ name, servers }) => [name, new Map(servers.map((server) => [server.name, server.weight]))]),
  );
}

function running(model: Model, loadedFrame = 'frame'): Observed {
  return { loaded: model, loadedFrame, weights: weightsOf(model) };
}

const whoami = listenerWith();
const other = listenerWith({ service: 'other', port: 81 });
const second = serverWith({ name: 'second' });
const third = serverWith({ name: 'third' });

function changed(changes: Partial<Omit<Listener, 'name'>>): Model {
  return modelWith(listenerWith(changes));
}

const nothing: Plan = { kind: 'nothing' };
const reload = (reason: string): Plan => ({ kind: 'reload', reason });
const setWeight = (weight: number): Plan => ({
  kind: 'runtime',
  steps: [{ kind: 'set weight', listener: 'whoami:8000', server: '0123456789ab', weight }],
});

describe('from what runs to what is desired', () => {
  test.each<[string, Model, Model, Plan]>([
    ['the same', modelWith(whoami), modelWith(whoami), nothing],
    ['no listener at all', modelWith(), modelWith(), nothing],
    ['another weight', modelWith(whoami), changed({ servers: [serverWith({ weight: 5 })] }), setWeight(5)],
    ['a drain', modelWith(whoami), changed({ servers: [serverWith({ weight: 0 })] }), setWeight(0)],
    ['a listener more', modelWith(), modelWith(whoami), reload('listener whoami:8000 added')],
    ['a listener less', modelWith(whoami), modelWith(), reload('listener whoami:8000 removed')],
    [
      'a service on another port',
      modelWith(whoami),
      changed({ port: 8001 }),
      reload('listener whoami:8000 removed, listener whoami:8001 added'),
    ],
    [
      'a server more',
      modelWith(whoami),
      changed({ servers: [serverWith(), second] }),
      reload('server whoami:8000/second added'),
    ],
    [
      'the last server gone',
      modelWith(whoami),
      changed({ servers: [], empty: { sinceMs: 1, revision: 2 } }),
      reload('server whoami:8000/0123456789ab removed'),
    ],
    [
      'a server on another port',
      modelWith(whoami),
      changed({ servers: [serverWith({ port: 1 })] }),
      reload('server whoami:8000/0123456789ab moved'),
    ],
    [
      'a server on another host',
      modelWith(whoami),
      changed({ servers: [serverWith({ host: '10.0.0.9' })] }),
      reload('server whoami:8000/0123456789ab moved'),
    ],
    ['another mode', modelWith(whoami), changed({ mode: 'http' }), reload('mode of whoami:8000 changed to http')],
    [
      'another balance',
      modelWith(whoami),
      changed({ balance: 'source' }),
      reload('balance of whoami:8000 changed to source'),
    ],
    ['an HTTP check', modelWith(whoami), changed({ check: '/up' }), reload('check of whoami:8000 changed to /up')],
    ['no HTTP check', changed({ check: '/up' }), modelWith(whoami), reload('check of whoami:8000 changed to tcp')],
    [
      'two changes',
      modelWith(whoami),
      changed({ servers: [second] }),
      reload('server whoami:8000/second added, server whoami:8000/0123456789ab removed'),
    ],
    [
      'many changes',
      modelWith(whoami),
      modelWith(other, listenerWith({ servers: [second, third] })),
      reload('listener other:81 added and 3 more changes'),
    ],
    [
      'a weight and a server more, in one reload',
      modelWith(whoami),
      changed({ servers: [serverWith({ weight: 5 }), second] }),
      reload('server whoami:8000/second added'),
    ],
  ])('%s', (_what, before, after, plan) => {
    expect(planOf(running(before), { model: after, frame: 'frame' })).toEqual(plan);
  });

  test('a listener that only began to linger changes nothing in HAProxy', () => {
    const empty = { sinceMs: 1, revision: 2 };
    const before = changed({ servers: [], empty: { sinceMs: 0, revision: 1 } });
    expect(planOf(running(before), { model: changed({ servers: [], empty }), frame: 'frame' })).toEqual(nothing);
  });

  test('nothing runs: a start', () => {
    const observed = { loaded: null, loadedFrame: '', weights: new Map() };
    expect(planOf(observed, { model: modelWith(), frame: 'frame' })).toEqual(reload('HAProxy is not running'));
  });

  test('another template or other settings: a reload, although no listener changed', () => {
    const plan = planOf(running(modelWith(whoami), 'old'), { model: modelWith(whoami), frame: 'new' });
    expect(plan).toEqual(reload('template or settings changed'));
  });

  test('a weight that somebody set by hand is set back', () => {
    const observed = {
      ...running(modelWith(whoami)),
      weights: new Map([['whoami:8000', new Map([['0123456789ab', 9]])]]),
    };
    expect(planOf(observed, { model: modelWith(whoami), frame: 'frame' })).toEqual(setWeight(1));
  });

  test('a server whose weight can not be read is left alone', () => {
    const observed = { ...running(modelWith(whoami)), weights: new Map() };
    expect(planOf(observed, { model: modelWith(whoami), frame: 'frame' })).toEqual(nothing);
  });

  test('the reason does not depend on the order of the listeners', () => {
    const desired = { model: modelWith(other, whoami), frame: 'frame' };
    const turned = { model: modelWith(whoami, other), frame: 'frame' };
    expect(planOf(running(modelWith()), turned)).toEqual(planOf(running(modelWith()), desired));
  });
});

test('a step is one command of the runtime API', () => {
  const step = { kind: 'set weight', listener: 'whoami:8000', server: '0123456789ab:80', weight: 0 } as const;
  expect(commandOf(step)).toBe('set server whoami:8000/0123456789ab:80 weight 0');
});

describe('carried out again and again', () => {
  const anyModel = anyEntries.map((entries) =>
    modelOf({ catalog: catalogWith(entries), revision: 1, held: [], barred: new Map(), nowMs: 0, lingerMs: 0 }),
  );
  const anyFrame = fc.constantFrom('old', 'new');
  const handSet = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 256 }));
  const anyObserved: fc.Arbitrary<Observed> = fc
    .tuple(fc.option(anyModel), anyFrame, handSet)
    .map(([loaded, loadedFrame, byHand]) => {
      if (loaded === null) return { loaded, loadedFrame: '', weights: new Map() };
      const weights = new Map(
        [...weightsOf(loaded)].map(([name, own]) => [name, new Map([...own, ...Object.entries(byHand)])]),
      );
      return { loaded, loadedFrame, weights };
    });

  /** HAProxy, as far as a plan goes. */
  const carryOut = (plan: Plan, observed: Observed, desired: Desired): Observed => {
    if (plan.kind === 'nothing') return observed;
    if (plan.kind === 'reload') return running(desired.model, desired.frame);
    const weights = new Map([...observed.weights].map(([name, own]) => [name, new Map(own)]));
    for (const { listener, server, weight } of plan.steps) weights.get(listener)?.set(server, weight);
    return { ...observed, weights };
  };

  test('it leads from any state to nothing in at most three rounds', () => {
    fc.assert(
      fc.property(anyObserved, anyModel, anyFrame, (observed, model, frame) => {
        const desired = { model, frame };
        let state = observed;
        const kinds: string[] = [];
        for (let round = 0; round < 3; round += 1) {
          const plan = planOf(state, desired);
          kinds.push(plan.kind);
          state = carryOut(plan, state, desired);
        }
        expect(kinds.at(-1)).toBe('nothing');
      }),
      { numRuns: 300 },
    );
  });
});
