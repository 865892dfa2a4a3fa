import { describe, expect, test } from 'vitest';
import { NoMemberError } from '../../../../src/adapters/etcd/ask-in-turn.js';
import { isFull, isOfTls, reasonOf } from '../../../../src/adapters/etcd/failure.js';

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
    'no connection, and no word why',
    '14 UNAVAILABLE: No connection established. Last error: null. Resolution note: ',
    'no connection; is there a way to its network from here (ip route get), and is etcd running there?',
  ],
  [
    'a name without address',
    '14 UNAVAILABLE: Name resolution failed for target dns:etcd.example:2379',
    'no address is known for etcd.example:2379; is the name right?',
  ],
  [
    'a CA that did not sign it',
    '14 UNAVAILABLE: No connection established. Last error: Error: unable to verify the first certificate. Resolution note: ',
    'its certificate is not signed by a CA that is trusted here (unable to verify the first certificate); ETCD_CA must be the certificate of that CA',
  ],
  [
    'a certificate that signed itself',
    '14 UNAVAILABLE: No connection established. Last error: Error: self-signed certificate in certificate chain. Resolution note: ',
    'its certificate is not signed by a CA that is trusted here (self-signed certificate in certificate chain); ETCD_CA must be the certificate of that CA',
  ],
  [
    'a certificate for other names',
    "14 UNAVAILABLE: No connection established. Last error: Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 10.0.0.10 is not in the cert's list: 10.0.0.9. Resolution note: ",
    "its certificate is for other names than ETCD_HOST has (IP: 10.0.0.10 is not in the cert's list: 10.0.0.9); give one of those, or it a certificate with this one",
  ],
  [
    'a certificate that has expired',
    '14 UNAVAILABLE: No connection established. Last error: Error: certificate has expired. Resolution note: ',
    'its certificate has expired; is the clock right here?',
  ],
  [
    'no certificate of ours, to etcd 3.4',
    '14 UNAVAILABLE: No connection established. Last error: 807CB320597F0000:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 42\n (2020-01-01T00:00:00.000Z). Resolution note: ',
    'it refuses us (bad certificate): it wants a certificate of a client, in ETCD_CERT, that is signed by the CA which it trusts, and has not expired',
  ],
  [
    'no certificate of ours, to etcd 3.4, in the words of Node 24',
    '14 UNAVAILABLE: No connection established. Last error: 404DE64D617F0000:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:918:SSL alert number 42\n (2020-01-01T00:00:00.000Z). Resolution note: ',
    'it refuses us (bad certificate): it wants a certificate of a client, in ETCD_CERT, that is signed by the CA which it trusts, and has not expired',
  ],
  [
    'a certificate that another CA signed, in the words of Node 24',
    '14 UNAVAILABLE: No connection established. Last error: Error: unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca. Resolution note: ',
    'its certificate is not signed by a CA that is trusted here (unable to verify the first certificate); ETCD_CA must be the certificate of that CA',
  ],
  [
    'no certificate of ours, to etcd 3.5',
    '14 UNAVAILABLE: No connection established. Last error: 807CB320597F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 116\n (2020-01-01T00:00:00.000Z). Resolution note: ',
    'it refuses us (certificate required): it wants a certificate of a client, in ETCD_CERT, that is signed by the CA which it trusts, and has not expired',
  ],
  [
    'a certificate of ours by another CA, to etcd 3.5',
    '14 UNAVAILABLE: No connection established. Last error: 807CB320597F0000:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 48\n (2020-01-01T00:00:00.000Z). Resolution note: ',
    'it refuses us (unknown ca): it wants a certificate of a client, in ETCD_CERT, that is signed by the CA which it trusts, and has not expired',
  ],
  [
    'TLS to an etcd without',
    '14 UNAVAILABLE: No connection established. Last error: Error: Client network socket disconnected before secure TLS connection was established. Resolution note: ',
    'it breaks off each connection at its start (disconnected before secure TLS connection was established); does it speak TLS? ETCD_HOST must say https:// where it does, and http:// where not',
  ],
  [
    'no TLS to an etcd with it',
    '14 UNAVAILABLE: No connection established. Last error: Failed to connect (2020-01-01T00:00:00.000Z). Resolution note: ',
    'it breaks off each connection at its start (Failed to connect); does it speak TLS? ETCD_HOST must say https:// where it does, and http:// where not',
  ],
  ['a connection that broke', '14 UNAVAILABLE: Connection dropped', 'the connection broke (Connection dropped)'],
  ['a deadline', '4 DEADLINE_EXCEEDED: Deadline exceeded after 5.0s', 'no answer in time'],
  [
    'a certificate that is for a client alone',
    '14 UNAVAILABLE: No connection established. Last error: Error: unsuitable certificate purpose. Resolution note: ',
    'its certificate is not one for a server (unsuitable certificate purpose); give etcd one whose extendedKeyUsage has serverAuth, not that of a client',
  ],
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
    'etcd has users, and asks which of them this is (user name is empty); set ETCD_USER and ETCD_PASSWORD_FILE',
  ],
  [
    'a wrong password',
    '3 INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password',
    'etcd does not know this user by this password (authentication failed); ETCD_USER and ETCD_PASSWORD must be those of `etcdctl user add`',
  ],
  [
    'a missing right',
    '7 PERMISSION_DENIED: etcdserver: permission denied',
    'etcd knows this user, who lacks the right (permission denied); `etcdctl role grant-permission` gives it, see docs/security.md',
  ],
  [
    'a new token that is refused',
    '16 UNAUTHENTICATED: the token of the user is refused',
    'the token of the user is refused, which it has just given; do all members of etcd have the same --auth-token?',
  ],
  ['a proxy that refuses', '16 UNAUTHENTICATED: who is it?', 'etcd refuses this user (who is it?)'],
  ['anything else', 'etcdserver: corrupt cluster', 'etcdserver: corrupt cluster'],
])('tells the reason of a failed call: %s', (_what, message, reason) => {
  expect(reasonOf(new Error(message))).toBe(reason);
});

test.each([
  ['web', 'read', '"web" (ETCD_USER) may not read below /backends/; `etcdctl role grant-permission ROLE read'],
  [
    null,
    'readwrite',
    'who has no ETCD_USER may not read and write below /backends/; `etcdctl role grant-permission ROLE readwrite',
  ],
] as const)('names the user %s and the right to %s where it is missing', (user, right, words) => {
  const error = new Error('7 PERMISSION_DENIED: etcdserver: permission denied');
  expect(reasonOf(error, { user, right, keyspace: '/backends/' })).toBe(
    `etcd knows this user, who lacks the right (permission denied): ${words} /backends/ --prefix\` gives it, see docs/security.md`,
  );
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

test.each([
  [
    '14 UNAVAILABLE: No connection established. Last error: Error: unable to verify the first certificate. Resolution note: ',
    true,
  ],
  [
    '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 10.0.0.10:2379. Resolution note: ',
    false,
  ],
])('whether it is about TLS: %s', (message, expected) => {
  expect(isOfTls(new Error(message))).toBe(expected);
});
