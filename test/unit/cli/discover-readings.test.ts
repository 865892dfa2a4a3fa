import { expect, test } from 'vitest';
import { discoverHealth } from '../../../src/cli/discover-readings.js';
import { countsOf } from '../../../src/core/discover-counts.js';

function readinessWith(revision: number, isLive: boolean, isReady = true): string {
  const counts = {
    ...countsOf({ listeners: [] }, []),
    revision,
    isLive,
    isRunning: true,
    isRefused: false,
    checked: { tcp: 1, http: 0, docker: 0 },
  };
  const health = discoverHealth({ isAlive: () => true, isReady: () => isReady, counts: () => counts });
  const readiness = health.readiness();
  expect(readiness.text.startsWith('ready')).toBe(readiness.isReady);
  return readiness.text;
}

test('nothing is ready before the first catalog, be HAProxy as it may', () => {
  const waits = 'not ready: etcd has not answered yet, and there is no last known good state';
  expect(readinessWith(0, false)).toBe(waits);
  expect(readinessWith(0, false, false)).toBe(waits);
});

test('what HAProxy has taken is ready, from etcd or from the disk', () => {
  expect(readinessWith(7, true, false)).toBe('not ready: HAProxy has taken no configuration yet');
  expect(readinessWith(7, true)).toBe('ready: etcd is followed');
  expect(readinessWith(7, false)).toBe('ready, on the last known good state: etcd does not answer');
});
