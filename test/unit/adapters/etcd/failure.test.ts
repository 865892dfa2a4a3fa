import { describe, expect, test } from 'vitest';
import { NoMemberError } from '../../../../src/adapters/etcd/ask-in-turn.js';
import { isFull, reasonOf } from '../../../../src/adapters/etcd/failure.js';

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
  [
    'a name without address',
    '14 UNAVAILABLE: Name resolution failed for target dns:etcd.example:2379',
    'no address is known for etcd.example:2379; is the name right?',
  ],
  ['a connection that broke', '14 UNAVAILABLE: Connection dropped', 'the connection broke (Connection dropped)'],
  ['a deadline', '4 DEADLINE_EXCEEDED: Deadline exceeded after 5.0s', 'no answer in time'],
  [
    'a full etcd',
    '8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded',
    'etcd is full (database space exceeded): what stands is kept, nothing new is taken; mend it with etcdctl: compact, defrag, alarm disarm',
  ],
  [
    'no leader',
    '14 UNAVAILABLE: etcdserver: no leader',
    'no leader: until more than half of the members of etcd reach each other, they answer nothing',
  ],
  [
    'members that do not agree',
    '14 UNAVAILABLE: etcdserver: request timed out, possibly due to previous leader failure',
    'request timed out, possibly due to previous leader failure: the members of etcd do not agree in time; is a disk or the network between them slow?',
  ],
  [
    'an etcd with too much to do',
    '8 RESOURCE_EXHAUSTED: etcdserver: too many requests',
    'too many requests: etcd has more to do than it can; it will catch up',
  ],
  [
    'an etcd with users',
    '3 INVALID_ARGUMENT: etcdserver: user name is empty',
    'etcd asks for a user and password, which is not supported; `etcdctl auth disable` ends that',
  ],
  ['anything else', 'etcdserver: corrupt cluster', 'etcdserver: corrupt cluster'],
])('tells the reason of a failed call: %s', (_what, message, reason) => {
  expect(reasonOf(new Error(message))).toBe(reason);
});

test.each([
  ['8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded', true],
  ['8 RESOURCE_EXHAUSTED: etcdserver: too many requests', false],
])('knows whether etcd is full: %s', (message, full) => {
  expect(isFull(new Error(message))).toBe(full);
});

describe('when no member answered, tells', () => {
  const refused = (host: string): Error =>
    new Error(`14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED ${host}. Resolution note: `);
  const noneOf = (failures: Record<string, Error>): NoMemberError<{ host: string }> =>
    new NoMemberError(Object.entries(failures).map(([host, error]) => ({ member: { host }, error })));

  test('the reason, where there is one member', () => {
    expect(reasonOf(noneOf({ 'http://10.0.0.1:1': refused('10.0.0.1:1') }))).toBe(
      'no connection (connect ECONNREFUSED 10.0.0.1:1); is etcd running there, and reachable from here?',
    );
  });

  test('once what all say', () => {
    const failures = { 'http://10.0.0.1:1': refused('10.0.0.1:1'), 'http://10.0.0.2:1': refused('10.0.0.2:1') };
    expect(reasonOf(noneOf(failures))).toBe(
      'no connection (connect ECONNREFUSED); is etcd running there, and reachable from here?',
    );
  });

  test('the reason of each, where they differ', () => {
    const failures = {
      'http://10.0.0.1:1': new Error('4 DEADLINE_EXCEEDED: Deadline exceeded after 5.0s'),
      'http://10.0.0.2:1': new Error('14 UNAVAILABLE: etcdserver: no leader'),
    };
    expect(reasonOf(noneOf(failures))).toBe(
      'http://10.0.0.1:1: no answer in time; http://10.0.0.2:1: no leader: until more than half of the members of etcd reach each other, they answer nothing',
    );
  });
});
