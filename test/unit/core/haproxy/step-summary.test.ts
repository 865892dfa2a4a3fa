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
  ['one that came', [add('web:80', 'a')], 'web:80: a added'],
  ['one that went was taken out first, which is no news', out('web:80', 'a'), 'web:80: a removed'],
  ['one that is still connected', [{ kind: 'maint', listener: 'web:80', server: 'a' }], 'web:80: a taken out'],
  ['another weight', [{ kind: 'weight', listener: 'web:80', server: 'a', weight: 5 }], 'web:80: a reweighted'],
  ['a drain', [{ kind: 'weight', listener: 'web:80', server: 'a', weight: 0 }], 'web:80: a draining'],
  [
    'several listeners, by name',
    [add('web:80', 'a'), ...out('db:5432', 'p'), add('web:80', 'b'), ...out('web:80', 'c')],
    'db:5432: p removed; web:80: a, b added, c removed',
  ],
  ['many servers', ['a', 'b', 'c', 'd'].map((server) => add('web:80', server)), 'web:80: 4 added'],
  [
    'many listeners',
    ['e:1', 'd:1', 'c:1', 'b:1', 'a:1'].map((listener) => add(listener, 'x')),
    'a:1: x added; b:1: x added; c:1: x added; 2 more listeners',
  ],
])('%s', (_, steps, summary) => {
  expect(summaryOfSteps(steps)).toBe(summary);
});
