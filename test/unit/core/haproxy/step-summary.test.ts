import { expect, test } from 'vitest';
import type { Step } from '../../../../src/core/haproxy/plan.js';
import { summaryOfSteps } from '../../../../src/core/haproxy/step-summary.js';

const line = { address: '10.0.0.1:80', weight: 1, keywords: 'check' };
const add = (listener: string, server: string): Step => ({ kind: 'add', listener, server, line });
const out = (listener: string, server: string): Step[] => [
  { kind: 'maint', listener, server },
  { kind: 'delete', listener, server },
];

test.each<[string, Step[], string]>([
  ['one that came', [add('web:80', 'a')], 'web:80: a at 10.0.0.1:80 added'],
  ['one that went was taken out first, which is no news', out('web:80', 'a'), 'web:80: a removed'],
  ['one that is still connected', [{ kind: 'maint', listener: 'web:80', server: 'a' }], 'web:80: a taken out'],
  ['another weight', [{ kind: 'weight', listener: 'web:80', server: 'a', weight: 5 }], 'web:80: a reweighted'],
  [
    'another address',
    [{ kind: 'move', listener: 'web:80', server: 'a', host: '2001:db8::1', port: 81 }],
    'web:80: a to [2001:db8::1]:81 moved',
  ],
  ['a drain', [{ kind: 'weight', listener: 'web:80', server: 'a', weight: 0 }], 'web:80: a draining'],
  [
    'several listeners, by name',
    [add('web:80', 'a'), ...out('db:5432', 'p'), add('web:80', 'b'), ...out('web:80', 'c')],
    'db:5432: p removed; web:80: a at 10.0.0.1:80, b at 10.0.0.1:80 added, c removed',
  ],
  ['many servers', ['a', 'b', 'c', 'd'].map((server) => add('web:80', server)), 'web:80: 4 added'],
  [
    'many listeners',
    ['e:1', 'd:1', 'c:1', 'b:1', 'a:1'].map((listener) => add(listener, 'x')),
    'a:1: x at 10.0.0.1:80 added; b:1: x at 10.0.0.1:80 added; c:1: x at 10.0.0.1:80 added; 2 more listeners',
  ],
  [
    'one listener more than are named',
    ['d:1', 'c:1', 'b:1', 'a:1'].map((listener): Step => ({ kind: 'maint', listener, server: 'x' })),
    'a:1: x taken out; b:1: x taken out; c:1: x taken out; 1 more listener',
  ],
])('%s', (_, steps, summary) => {
  expect(summaryOfSteps(steps)).toBe(summary);
});
