import { describe, expect, test } from 'vitest';
import type { Configuration } from '../../../../src/core/haproxy/configuration.js';
import { parseConfiguration } from '../../../../src/core/haproxy/configuration-reader.js';
import { planOf, type Observed, type ObservedServer, type Plan } from '../../../../src/core/haproxy/plan.js';
import type { ReloadCause } from '../../../../src/core/haproxy/reload-reason.js';
import type { Model } from '../../../../src/core/haproxy/model.js';
import { configurationOf, listenerWith, modelWith, serverWith } from '../../support/models.js';
import { observedOf, workerOf } from '../../support/workers.js';

const whoami = listenerWith();
const other = listenerWith({ service: 'other', port: 81 });
const second = serverWith({ name: 'second' });
const third = serverWith({ name: 'third' });
const name = { listener: 'whoami:8000', server: '0123456789ab' };

const nothing: Plan = { kind: 'nothing' };
const reload = (cause: ReloadCause, text: string): Plan => ({ kind: 'reload', reason: { cause, text }, steps: [] });

/** What is planned for the one server of whoami, which stands so in HAProxy (null: it is absent). */
function planFor(there: Partial<ObservedServer> | null, wanted: Partial<ReturnType<typeof serverWith>> | null): Plan {
  const servers = there === null ? [] : [serverWith()];
  const observed = observedOf(modelWith(listenerWith({ servers })), () => there ?? {});
  return planOf(
    observed,
    configurationOf(modelWith(listenerWith({ servers: wanted === null ? [] : [serverWith(wanted)] }))),
  );
}

describe('a server that is wanted', () => {
  const line = { address: '10.170.71.226:49153', weight: 1, keywords: 'check' };

  test.each<[string, Partial<ObservedServer> | null, Parameters<typeof planFor>[1], readonly object[]]>([
    ['absent: added', null, {}, [{ kind: 'add', line }]],
    [
      'absent, to be drained: added with no weight',
      null,
      { weight: 0 },
      [{ kind: 'add', line: { ...line, weight: 0 } }],
    ],
    ['ready, to be drained', {}, { weight: 0 }, [{ kind: 'weight', weight: 0 }]],
    ['drained, to be ready', { weight: 0 }, {}, [{ kind: 'weight', weight: 1 }]],
    ['of another weight', {}, { weight: 5 }, [{ kind: 'weight', weight: 5 }]],
    ['drained by hand: ready', { drain: true }, {}, [{ kind: 'ready' }]],
    [
      'drained by hand, and to be drained: by its weight alone',
      { drain: true },
      { weight: 0 },
      [{ kind: 'weight', weight: 0 }, { kind: 'ready' }],
    ],
    ['in maint: ready', { maint: true }, {}, [{ kind: 'ready' }]],
    ['in maint past its deadline, and back: ready', { maint: true, overdue: true }, {}, [{ kind: 'ready' }]],
    ['on another port: moved', {}, { port: 1 }, [{ kind: 'move', host: '10.170.71.226', port: 1 }]],
    ['on another host: moved', {}, { host: '2001:db8::7' }, [{ kind: 'move', host: '2001:db8::7', port: 49153 }]],
    [
      'in maint, elsewhere, of another weight: traffic comes last',
      { maint: true, weight: 7 },
      { port: 1 },
      [{ kind: 'move', host: '10.170.71.226', port: 1 }, { kind: 'weight', weight: 1 }, { kind: 'ready' }],
    ],
  ])('%s', (_what, there, wanted, steps) => {
    expect(planFor(there, wanted)).toEqual({ kind: 'runtime', steps: steps.map((step) => ({ ...step, ...name })) });
  });

  test.each<[string, Partial<ObservedServer>, Parameters<typeof planFor>[1]]>([
    ['ready', {}, {}],
    ['drained', { weight: 0 }, { weight: 0 }],
  ])('%s as it should be: nothing', (_what, there, wanted) => {
    expect(planFor(there, wanted)).toEqual(nothing);
  });

  test('with other keywords: a reload, since no command changes them', () => {
    expect(planFor({ keywords: 'check inter 1s' }, {})).toEqual(
      reload('server_keywords', 'server whoami:8000/0123456789ab has other keywords'),
    );
  });
});

describe('a server that is to be checked at another pace', () => {
  const line = 'server a 10.0.0.1:80 weight 1 check inter 5s fall 2 error-limit 10';
  const planTo = (text: string): Plan =>
    planOf(workerOf(parseConfiguration(`listen x:1\n${line}`)), parseConfiguration(`listen x:1\n${text}`));

  test('is a reload, until which it follows', () => {
    expect(planTo('server a 10.0.0.1:81 weight 0 check inter 20s fall 2 error-limit 3')).toEqual({
      kind: 'reload',
      reason: { cause: 'server_keywords', text: 'server x:1/a has other keywords' },
      steps: [
        { kind: 'move', host: '10.0.0.1', port: 81 },
        { kind: 'weight', weight: 0 },
      ].map((step) => ({ ...step, listener: 'x:1', server: 'a' })),
    });
  });

  test('and spoken to otherwise: led nowhere before the reload', () => {
    expect(planTo('server a 10.0.0.1:81 weight 1 send-proxy check inter 20s fall 2 error-limit 3')).toEqual(
      reload('server_keywords', 'server x:1/a has other keywords'),
    );
  });
});

describe('servers that the runtime API could not be given', () => {
  const text = `listen whoami:8000
  bind *:8000
  server 0123456789ab 10.170.71.226:49153 check
  server fixed 10.0.0.1:1 sni str("x")
  server-template web 2 10.0.0.1:2
`;
  const desired = parseConfiguration(text);
  const there = { address: '10.0.0.1:1', weight: 1, keywords: '', maint: false, drain: false, overdue: false };

  const workerWith = (loaded: Configuration, ...names: string[]): Observed => {
    const own = workerOf(loaded).servers.get('whoami:8000') ?? new Map<string, ObservedServer>();
    for (const server of names) own.set(server, there);
    return { loaded, servers: new Map([['whoami:8000', own]]) };
  };

  test('are left alone while the text has them', () => {
    expect(planOf(workerWith(desired, 'fixed', 'web1', 'web2'), desired)).toEqual(nothing);
  });

  test('go with the reload that takes them out of the text, and take no connection until then', () => {
    const before = parseConfiguration(text.replace('web 2', 'web 3'));
    expect(planOf(workerWith(before, 'fixed', 'web1', 'web2', 'web3'), desired)).toEqual({
      kind: 'reload',
      reason: { cause: 'section_changed', text: 'listen whoami:8000 changed' },
      steps: ['maint', 'delete'].map((kind) => ({ kind, listener: 'whoami:8000', server: 'web3' })),
    });
  });
});

describe('a server that is not wanted', () => {
  test.each<[string, Partial<ObservedServer>, readonly string[]]>([
    ['ready: out of the pool, and deleted', {}, ['maint', 'delete']],
    ['drained: the same', { weight: 0 }, ['maint', 'delete']],
    ['in maint: deleted when it is idle', { maint: true }, ['delete']],
    ['in maint past its deadline: its sessions end', { maint: true, overdue: true }, ['shutdown sessions', 'delete']],
    ['ready again by hand, past its deadline', { overdue: true }, ['maint', 'shutdown sessions', 'delete']],
  ])('%s', (_what, there, kinds) => {
    expect(planFor(there, null)).toEqual({ kind: 'runtime', steps: kinds.map((kind) => ({ kind, ...name })) });
  });
});

describe('listeners', () => {
  const all = modelWith(other, listenerWith({ servers: [second, third] }));

  test.each<[string, Model, Model, Plan]>([
    ['the same', modelWith(whoami), modelWith(whoami), nothing],
    ['none at all', modelWith(), modelWith(), nothing],
    ['one more', modelWith(), modelWith(whoami), reload('section_added', 'listen whoami:8000 added')],
    [
      'one more without a server',
      modelWith(),
      modelWith(listenerWith({ servers: [] })),
      reload('section_added', 'listen whoami:8000 added'),
    ],
    ['one less', modelWith(whoami), modelWith(), reload('section_removed', 'listen whoami:8000 removed')],
    [
      'a service on another port',
      modelWith(whoami),
      modelWith(listenerWith({ port: 8001 })),
      reload('section_added', 'listen whoami:8001 added, listen whoami:8000 removed'),
    ],
    [
      'another mode',
      modelWith(whoami),
      modelWith(listenerWith({ mode: 'http' })),
      reload('section_changed', 'listen whoami:8000 changed'),
    ],
    [
      'many',
      modelWith(),
      modelWith(whoami, other, listenerWith({ port: 1 })),
      reload('section_added', 'listen whoami:8000 added and 2 more changes'),
    ],
  ])('%s', (_what, before, after, plan) => {
    expect(planOf(observedOf(before), configurationOf(after))).toEqual(plan);
  });

  test('that stay are brought up to date although a reload is to come', () => {
    const plan = planOf(observedOf(modelWith(whoami)), configurationOf(all));
    expect(plan.kind).toBe('reload');
    expect(plan.kind === 'reload' ? plan.steps.map(({ kind, server }) => `${kind} ${server}`) : []).toEqual([
      'add second',
      'add third',
      'maint 0123456789ab',
      'delete 0123456789ab',
    ]);
  });

  test('whose server is in other hands too are left to the reload: no step for a listener that goes', () => {
    expect(planOf(observedOf(modelWith(whoami, other)), configurationOf(modelWith(whoami)))).toEqual(
      reload('section_removed', 'listen other:81 removed'),
    );
  });
});

test('nothing runs: a start', () => {
  const observed: Observed = { loaded: null, servers: new Map() };
  expect(planOf(observed, configurationOf(modelWith(whoami)))).toEqual(reload('not_running', 'HAProxy is not running'));
});

test('a weight that somebody set by hand is set back', () => {
  expect(planFor({ weight: 9 }, {})).toMatchObject({ kind: 'runtime', steps: [{ kind: 'weight', weight: 1 }] });
});
