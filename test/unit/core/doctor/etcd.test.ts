import { describe, expect, test } from 'vitest';
import {
  judgeClock,
  judgeMembers,
  judgeRead,
  judgeWatch,
  judgeWrite,
  type MemberFacts,
  type MemberStatus,
} from '../../../../src/core/doctor/etcd.js';
import type { Asked } from '../../../../src/core/doctor/finding.js';

const status: MemberStatus = {
  version: '3.5.16',
  clusterId: '1',
  knowsLeader: true,
  isLearner: false,
  errors: [],
  sizeBytes: 20_480,
  latenciesMs: [1, 300, 2, 3, 2],
};

function member(changes: Partial<MemberStatus> = {}, host = 'http://10.0.0.1:2379'): MemberFacts {
  return { host, status: answered({ ...status, ...changes }) };
}

const silent: MemberFacts = {
  host: 'http://10.0.0.9:2379',
  status: { ok: false, reason: 'no connection', code: null },
};

function answered<T>(value: T): Asked<T> {
  return { ok: true, value, tookMs: 1 };
}

describe('a member of etcd', () => {
  test('that is well is told of with its figures', () => {
    expect(judgeMembers([member()])).toEqual([
      {
        check: 'etcd http://10.0.0.1:2379',
        result: 'ok',
        found: 'version 3.5.16, answers in 2.0ms (median of 5), 21 kB',
        mend: null,
      },
    ]);
  });

  test.each<[string, Partial<MemberStatus>, string, RegExp]>([
    ['is as old as can be', { version: '3.4.0' }, 'ok', /3\.4\.0/],
    ['is too old', { version: '3.3.25' }, 'failed', /take etcd 3\.4/],
    ['is of a later generation', { version: '4.0.1' }, 'ok', /4\.0\.1/],
    ['is at the limit of what is fast', { latenciesMs: [100] }, 'ok', /100ms/],
    ['is slow', { latenciesMs: [101] }, 'warning', /101ms.*look at the network/],
    ['has no leader', { knowsLeader: false, errors: ['etcdserver: no leader'] }, 'failed', /more than half/],
    ['is full', { errors: ['memberID:1 alarm:NOSPACE '] }, 'failed', /full.*compact, defrag, alarm disarm/],
    ['is corrupt', { errors: ['memberID:1 alarm:CORRUPT '] }, 'failed', /replace the member/],
    ['complains', { errors: ['of something new'] }, 'warning', /says: of something new.*log of etcd/],
  ])('that %s', (_how, changes, result, text) => {
    const [finding] = judgeMembers([member(changes)]);
    expect(finding?.result).toBe(result);
    expect(`${finding?.found ?? ''} | ${finding?.mend ?? ''}`).toMatch(text);
  });

  test('that is a learner is a failure where nobody beside it votes, a warning otherwise, and counts for no share', () => {
    const learner = member({ isLearner: true });
    expect(judgeMembers([learner])).toMatchObject([
      { result: 'failed', found: expect.stringContaining('is a learner: it answers polls') as unknown },
    ]);
    expect(judgeMembers([learner, silent]).map(({ result }) => result)).toEqual(['failed', 'failed']);
    expect(judgeMembers([learner, member()])).toMatchObject([
      { result: 'warning', mend: expect.stringContaining('etcdctl member promote') as unknown },
      { result: 'ok' },
    ]);
    expect(judgeMembers([learner, member(), member()])[3]).toMatchObject({
      check: 'etcd cluster',
      found: '2 of 2 members answer, and know a leader',
    });
    const ofAnother = member({ isLearner: true, clusterId: '2' });
    expect(judgeMembers([ofAnother, member()])[2]).toMatchObject({ result: 'failed', check: 'etcd cluster' });
  });

  test('that does not answer is a failure where it is alone, and a warning where others answer', () => {
    expect(judgeMembers([silent]).map(({ result }) => result)).toEqual(['failed']);
    expect(judgeMembers([silent, member()])[0]?.result).toBe('warning');
  });

  test.each<[string | null, RegExp]>([
    ['denied', /^give ETCD_USER and ETCD_PASSWORD_FILE as etcd has them/],
    ['tls', /^correct ETCD_CA, ETCD_CERT and ETCD_KEY, or http/],
    ['ECONNREFUSED', /^start etcd there/],
    [null, /^start etcd there/],
  ])('that does not answer for %s has the mend of that', (code, mend) => {
    const [finding] = judgeMembers([
      { host: 'http://10.0.0.9:2379', status: { ok: false, reason: 'it says why', code } },
    ]);
    expect(finding?.mend).toMatch(mend);
  });

  test('cannot bring the terminal to anything', () => {
    const [finding] = judgeMembers([member({ version: '3.5\u001b[2J\u009b\u202e\n' })]);
    expect(finding?.found).toMatch(/^[ -~]+$/);
  });
});

describe('a cluster', () => {
  const other = 'http://10.0.0.2:2379';
  test.each<[string, readonly MemberFacts[], string, RegExp]>([
    ['all answer', [member(), member({}, other)], 'ok', /2 of 2 members answer, and know a leader/],
    ['most answer', [member(), member({}, other), silent], 'ok', /2 of 3 members/],
    ['half answer', [member(), silent], 'warning', /only 1 of 2 members/],
    ['none has a leader', [member({ knowsLeader: false }), silent], 'failed', /none knows a leader/],
    ['two are mixed', [member(), member({ clusterId: '2' }, other)], 'failed', /belong to 2 clusters/],
  ])('of which %s', (_which, members, result, found) => {
    const finding = judgeMembers(members).at(-1);
    expect(finding).toMatchObject({ check: 'etcd cluster', result, found: expect.stringMatching(found) as unknown });
  });

  test('that does not answer at all has been told of by its members', () => {
    expect(judgeMembers([silent, { ...silent, host: other }])).toHaveLength(2);
  });
});

describe('rights', () => {
  const refused = (code: string | null): Asked<never> => ({ ok: false, reason: 'no', code });

  test('that are there', () => {
    expect(judgeRead(answered(1), '/backends').found).toBe('1 key below /backends/');
    expect(judgeWrite(answered([3, 1, 2]), '/backends').found).toBe(
      'allowed below /backends/, agreed in 2.0ms (median of 3)',
    );
    expect(judgeWatch(answered(null)).result).toBe('ok');
  });

  test('a write that takes long is a warning', () => {
    expect(judgeWrite(answered([101, 150, 90]), '/backends')).toMatchObject({ result: 'warning' });
  });

  test.each([
    ['full', /defrag/],
    ['denied', /a role with rights below the prefix/],
    [null, /of its members/],
  ])('that are missing have their mend: %j', (code, mend) => {
    for (const finding of [
      judgeRead(refused(code), '/backends'),
      judgeWrite(refused(code), '/backends'),
      judgeWatch(refused(code)),
    ])
      expect(finding).toMatchObject({ result: 'failed', found: 'no', mend: expect.stringMatching(mend) as unknown });
  });
});

describe('the clock', () => {
  const clock = (aheadMs: number, doubtMs = 500) => ({ host: 'http://e:2379', clock: answered({ aheadMs, doubtMs }) });
  test.each([
    [0, 'ok', 'within 1s of that of http://e:2379'],
    [2_500, 'ok', 'within 3s of that of http://e:2379'],
    [2_501, 'warning', '3s behind that of http://e:2379'],
    [-60_000, 'warning', '60s ahead of that of http://e:2379'],
  ])('of which another is %d ms ahead', (aheadMs, result, found) => {
    expect(judgeClock([clock(0), clock(aheadMs)])).toMatchObject({ result, found });
  });

  test('is not judged where nobody tells the time', () => {
    const finding = judgeClock([{ host: 'x', clock: { ok: false, reason: 'no', code: null } }]);
    expect(finding).toMatchObject({ result: 'not checked', mend: null });
  });
});
