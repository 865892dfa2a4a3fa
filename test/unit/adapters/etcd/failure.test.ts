import { expect, test } from 'vitest';
import { reasonOf } from '../../../../src/adapters/etcd/failure.js';

test.each([
  [
    'no connection',
    '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 10.0.0.10:2379. Resolution note: ',
    'no connection (connect ECONNREFUSED 10.0.0.10:2379); is etcd running there, and reachable from here?',
  ],
  [
    'no connection, in the words of another version',
    '14 UNAVAILABLE: No connection established. Last error: Error: connect ETIMEDOUT 10.0.0.10:2379',
    'no connection (connect ETIMEDOUT 10.0.0.10:2379); is etcd running there, and reachable from here?',
  ],
  ['a deadline', '4 DEADLINE_EXCEEDED: Deadline exceeded after 5.0s', 'no answer in time'],
  ['anything else', 'etcdserver: no leader', 'etcdserver: no leader'],
])('tells the reason of a failed call: %s', (_what, message, reason) => {
  expect(reasonOf(new Error(message))).toBe(reason);
});
