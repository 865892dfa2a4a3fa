import { expect, test } from 'vitest';
import type { Endpoint } from '../../../../src/core/catalog.js';
import { defaultPolicy, parsePortMap } from '../../../../src/core/haproxy/client-policy.js';
import { servableBy, type ServingHost } from '../../../../src/core/haproxy/servable.js';
import type { Registration } from '../../../../src/core/service.js';
import { accepted } from '../../support/parsed.js';
import { catalogWith, entryWith } from '../../support/registrations.js';

function endpointWith(changes: Partial<Registration>): Endpoint {
  const [service] = catalogWith([entryWith({ service: 'web', ...changes })]).services;
  const [endpoint] = service?.endpoints ?? [];
  if (endpoint === undefined) throw new Error('no endpoint');
  return endpoint;
}

const routed = { servicePort: 22, mode: 'http', httpHosts: ['web.example'] } as const;

test.each<[string, Partial<Registration>, Partial<ServingHost>, boolean]>([
  ['any, without a setting', { servicePort: 8000 }, {}, true],
  ['none of a service that is denied', { service: 'ssh' }, {}, false],
  ['none at a port that is denied', { servicePort: 22 }, {}, false],
  ['none at a port that is reserved', { servicePort: 1936 }, {}, false],
  ['one at such a port that has a route, where there is an entrance', routed, { hasEntrance: true }, true],
  ['none that has a route, where there is no entrance', routed, {}, false],
  [
    'one at such a port that MAP puts on another',
    { servicePort: 22 },
    { policy: { ...defaultPolicy, map: accepted(parsePortMap('web=2200')) } },
    true,
  ],
  [
    'none that MAP puts on such a port',
    { servicePort: 8000 },
    { policy: { ...defaultPolicy, map: accepted(parsePortMap('web:8000=22')) } },
    false,
  ],
])('a host would serve %s', (_what, endpoint, host, expected) => {
  const policy = { ...defaultPolicy, denyServices: [{ matches: /^ssh$/ }] };
  const reserved = new Map([[1936, 'stats page']]);
  expect(servableBy({ policy, reserved, hasEntrance: false, ...host })(endpointWith(endpoint))).toBe(expected);
});
