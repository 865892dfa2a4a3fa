import { basePace } from '../../../src/core/haproxy/check-pace.js';
import { expect, test } from 'vitest';
import { listenerStatusOf, problemListsOf } from '../../../src/core/discover-status.js';
import type { ServerStatus } from '../../../src/core/haproxy/replies.js';
import { listenerWith, modelWith, serverWith } from '../support/models.js';

test('tells of each endpoint what HAProxy says of it', () => {
  const model = modelWith(
    listenerWith({
      servers: [
        serverWith({ name: 'up', weight: 5, zone: 'a', stale: true }),
        serverWith({ name: 'drains', weight: 0 }),
        serverWith({ name: 'down', weight: 0 }),
        serverWith({ name: 'new', host: '2001:db8::7' }),
      ],
    }),
    listenerWith({ service: 'lingers', port: 81, servers: [] }),
  );
  const said = { check: 'L4OK', checkText: 'Layer4 check passed', sinceSeconds: 7 };
  const observed = (server: string, status: string): ServerStatus => ({
    listener: 'whoami:8000',
    server,
    status,
    ...said,
    sessions: 3,
  });
  const servers = [
    observed('up', 'UP'),
    observed('drains', 'UP'),
    observed('down', 'DOWN'),
    { ...observed('new', 'UP'), listener: 'other:8000' },
  ];
  const address = '10.170.71.226:49153';
  const text = 'checked by layer 4 every 5s; what is dead is out within 7.5s, frozen is not found';
  const check = { kind: 'tcp', intervalMs: 5_000, deadWithinMs: 7_500, frozenWithinMs: null, text };
  expect(listenerStatusOf(model, servers, basePace)).toEqual([
    {
      name: 'whoami:8000',
      service: 'whoami',
      port: 8000,
      routes: [],
      check,
      endpoints: [
        { id: 'up', address, weight: 5, zone: 'a', status: 'UP', ...said, sessions: 3, stale: true },
        { id: 'drains', address, weight: 0, zone: null, status: 'DRAIN', ...said, sessions: 3, stale: false },
        { id: 'down', address, weight: 0, zone: null, status: 'DOWN', ...said, sessions: 3, stale: false },
        {
          id: 'new',
          address: '[2001:db8::7]:49153',
          weight: 1,
          zone: null,
          status: 'not loaded',
          check: '',
          checkText: '',
          sinceSeconds: null,
          sessions: 0,
          stale: false,
        },
      ],
    },
    { name: 'lingers:81', service: 'lingers', port: 81, routes: [], check, endpoints: [] },
  ]);
});

test('tells that nothing is known of an endpoint while HAProxy does not answer', () => {
  const [listener] = listenerStatusOf(modelWith(listenerWith()), null, null);
  expect(listener?.endpoints).toMatchObject([{ id: '0123456789ab', status: 'unknown', check: '', sessions: 0 }]);
});

test('the problems are listeners that are left out, endpoints that are forbidden, addresses claimed twice, and keys that break the grammar', () => {
  const [refused, forbidden, conflicting, rejected] = ['refused', 'forbidden', 'conflicting', 'rejected'].map((key) => [
    { key, reason: 'r' },
  ]);
  const catalog = {
    services: [],
    conflicting: conflicting ?? [],
    rejected: rejected ?? [],
    beyond: { services: [], endpoints: [] },
  };
  const problems = problemListsOf(catalog, {
    listeners: [],
    refused: refused ?? [],
    forbidden: forbidden ?? [],
    beyond: [],
  });
  expect(problems.flat().map(({ key }) => key)).toEqual(['refused', 'forbidden', 'conflicting', 'rejected']);
});

test('tells what of the HTTP entrance leads to a listener, and that it has no port of its own', () => {
  const routed = listenerWith({ isOpen: false, routes: ['shop.example/', 'shop.example/api/'] });
  expect(listenerStatusOf(modelWith(routed), [], basePace)).toMatchObject([
    { port: null, routes: ['shop.example', 'shop.example/api'] },
  ]);
});
