import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAdmissions, type Admissions } from '../../../src/daemon/admissions.js';
import type { Contribution } from '../../../src/daemon/contributions.js';
import { containerWith } from '../support/containers.js';
import { recordingLog } from '../support/log.js';
import { registrationWith } from '../support/registrations.js';

const container = containerWith();
const { id } = container;
const source = { container: container.name, drains: false };
const claim = { container, registration: registrationWith(), key: 'key', value: 'value', source };
const wants: Contribution = { container, claims: [claim], skipped: [], misread: [], portsBeyond: 0 };
const wantsNothing: Contribution = { ...wants, claims: [] };
let nowMs: number;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(() => {
  nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  recorded = recordingLog();
});
afterEach(() => {
  vi.restoreAllMocks();
});

function look(admissions: Admissions, contribution?: Contribution | null): string[] {
  nowMs += 10;
  return [...admissions.look(new Map(contribution === undefined ? [] : [[id, contribution]]))];
}

test.each([
  ['is gone', null],
  ['has no port', wantsNothing],
])(
  'one that comes again and again, and %s between, is kept out, let in when its time has come, and told of',
  (_what, gone) => {
    const admissions = createAdmissions(1, recorded.log);
    for (let i = 0; i < 5; i += 1) {
      expect(look(admissions, wants)).toEqual([]);
      look(admissions, gone);
    }
    expect(look(admissions, wants)).toEqual([id]);
    expect([[...admissions.keptOut()], admissions.againInMs()]).toEqual([[id], 900]);
    expect(recorded.lines).toMatchObject([
      {
        level: 'warn',
        container: 'whoami-1',
        changes: 10,
        retryIn: '900ms',
        msg: expect.stringContaining('kept out') as string,
      },
    ]);
    nowMs += 900;
    expect(look(admissions)).toEqual([id]);
    expect(admissions.keptOut().size).toBe(0);
    nowMs += 11_000;
    expect(look(admissions)).toEqual([]);
    expect(recorded.lines[1]).toMatchObject({ container: 'whoami-1', msg: 'no longer comes and goes too often' });
  },
);

test('one that is looked at again and again, and is there all the time, makes no change', () => {
  const admissions = createAdmissions(0.01, recorded.log);
  for (let i = 0; i < 40; i += 1) expect(look(admissions, wants)).toEqual([]);
  nowMs += 10_000_000;
  for (let i = 0; i < 40; i += 1) expect(look(admissions, wants)).toEqual([]);
  expect(admissions.keptOut().size).toBe(0);
});

test('without a limit nobody is kept out', () => {
  const admissions = createAdmissions(0, recorded.log);
  for (let i = 0; i < 40; i += 1) expect(look(admissions, i % 2 === 0 ? wants : null)).toEqual([]);
  expect([admissions.keptOut().size, admissions.againInMs()]).toEqual([0, null]);
});
