import { beforeEach, expect, test } from 'vitest';
import type { Misread } from '../../../src/core/found.js';
import type { Skipped } from '../../../src/core/registrations.js';
import { createSkipNotices, type SkipNotices } from '../../../src/daemon/skip-notices.js';
import { containerWith } from '../support/containers.js';
import { recordingLog } from '../support/log.js';

const container = containerWith();
const unnamed: Skipped = {
  kind: 'name',
  containerPort: '80/tcp',
  reason: 'no name',
  mend: 'name it',
  isDoubtful: true,
};
const exposed: Skipped = { ...unnamed, containerPort: '81/tcp', reason: 'exposed only', isDoubtful: false };
const heavy: Misread = { source: 'label SERVICE_WEIGHT', value: 'heavy', allowed: '0 to 256' };
let recorded: ReturnType<typeof recordingLog>;
let notices: SkipNotices;

beforeEach(() => {
  recorded = recordingLog();
  notices = createSkipNotices(recorded.log);
});

function tell(skipped: readonly Skipped[], misread: readonly Misread[] = []): void {
  notices.tell(container.id, { container, skipped, misread });
}

const told = (): string[] => recorded.lines.map(({ level, reason, value }) => `${level} ${String(reason ?? value)}`);

test('what is left out is told once, a warning where somebody meant otherwise', () => {
  tell([unnamed, exposed], [heavy]);
  tell([{ ...unnamed }, { ...exposed }], [{ ...heavy }]);
  expect(told()).toEqual(['warn no name', 'debug exposed only', 'warn heavy']);
  expect(recorded.lines[0]).toMatchObject({ container: 'whoami-1', containerPort: '80/tcp', mend: 'name it' });
});

test('another reason, or another value, is told', () => {
  tell([unnamed], [heavy]);
  tell([{ ...unnamed, reason: 'bad name' }], [{ ...heavy, value: 'light' }]);
  expect(told()).toEqual(['warn no name', 'warn heavy', 'warn bad name', 'warn light']);
});

test.each([
  [
    'has ended',
    () => {
      tell([]);
    },
  ],
  [
    'went with the container',
    () => {
      notices.tell(container.id, null);
    },
  ],
])('what %s is told when it is so again', (_what, ends) => {
  tell([unnamed]);
  ends();
  tell([unnamed]);
  expect(told()).toEqual(['warn no name', 'warn no name']);
});
