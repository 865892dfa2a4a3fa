import { expect, test } from 'vitest';
import { parseRegistration } from '../../../src/cli/register-put.js';
import { formatValue, keyOf } from '../../../src/core/keyspace.js';
import { accepted, reasonOf } from '../support/parsed.js';

test.each<[string, string, string[], string | undefined, string, string]>([
  ['db', '198.18.0.40:5432', [], undefined, '/backends/db/198.18.0.40:5432', '198.18.0.40:5432?port=5432'],
  [
    'DB',
    '198.18.0.40:5432',
    ['port=15432', 'weight=2', 'region=eu'],
    'one',
    '/backends/db/one',
    '198.18.0.40:5432?port=15432&weight=2&region=eu',
  ],
  ['db', '[2001:db8::7]:5432', [], undefined, '/backends/db/ip6-2001-db8--7:5432', '[2001:db8::7]:5432?port=5432'],
])('%s at %s %j is registered', (service, address, attributes, id, key, value) => {
  const registration = accepted(parseRegistration(service, address, attributes, id));
  expect([keyOf('/backends', registration), formatValue(registration)]).toEqual([key, value]);
});

test.each<[string, string, string[], string | undefined, string]>([
  ['a b', '198.18.0.40:5432', [], undefined, '"a b" is not a service name'],
  ['db', 'db.local:5432', [], undefined, '"db.local" is not an IP address'],
  ['db', '198.18.0.40', [], undefined, '"198.18.0.40" is not an address'],
  ['db', '198.18.0.40:5432', ['weight=0'], undefined, 'weight: "0" is not a number from 1 to 256'],
  ['db', '198.18.0.40:5432', ['weight'], undefined, '"weight" is not an attribute: give NAME=VALUE'],
  ['db', '198.18.0.40:5432', ['Region=eu'], undefined, '"Region=eu" is not an attribute'],
  ['db', '198.18.0.40:5432', ['note=a b'], undefined, '"note=a b" is not an attribute'],
  ['db', '198.18.0.40:5432', ['a=b&state=drain'], undefined, '"a=b&state=drain" is not an attribute'],
  ['db', '198.18.0.40:5432', [], 'a/b', '"a/b" is not an id'],
])('%s at %s %j with id %s is refused', (service, address, attributes, id, reason) => {
  expect(reasonOf(parseRegistration(service, address, attributes, id))).toContain(reason);
});
