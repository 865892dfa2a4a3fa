import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { daemonMetrics } from '../../../src/core/metrics/daemon.js';
import { meteredRegistry } from '../../../src/daemon/metered-registry.js';
import { createMeteredRounds } from '../../../src/daemon/metered-rounds.js';
import { deferred } from '../support/deferred.js';
import { FakeRegistry } from '../support/fake-registry.js';
import { recordingMeter } from '../support/meter.js';

const metrics = daemonMetrics('test', []);
const signal = new AbortController().signal;
let measured: ReturnType<typeof recordingMeter>;
beforeEach(() => {
  vi.useFakeTimers();
  measured = recordingMeter();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('requests to etcd', () => {
  test('are timed by operation, and those that fail are counted too', async () => {
    const registry = new FakeRegistry();
    const metered = meteredRegistry(registry, { meter: measured.meter, metrics });
    await metered.list(signal);
    registry.failOn('list');
    await expect(metered.list(signal)).rejects.toThrow();
    await metered.grantLease(15_000, signal);
    expect(measured.observed.get('test_etcd_request_duration_seconds{operation="list"}')).toHaveLength(2);
    expect(measured.observed.get('test_etcd_request_duration_seconds{operation="grant_lease"}')).toHaveLength(1);
    expect([...measured.counts]).toEqual([['test_etcd_request_failures_total{operation="list"}', 1]]);
  });

  test('that ask for nothing, or were cancelled, are none', async () => {
    const registry = new FakeRegistry();
    const metered = meteredRegistry(registry, { meter: measured.meter, metrics });
    await metered.apply({ puts: [], deletes: [] }, '1', signal);
    const controller = new AbortController();
    controller.abort();
    await expect(metered.list(controller.signal)).rejects.toThrow();
    expect(measured.observed.size + measured.counts.size).toBe(0);
  });
});

describe('rounds', () => {
  test('are counted by outcome, and timed', async () => {
    const rounds = createMeteredRounds({ meter: measured.meter, metrics });
    await rounds.of(() => Promise.resolve(), signal)([]);
    await expect(rounds.of(() => Promise.reject(new Error('no')), signal)([])).rejects.toThrow('no');
    expect(Object.fromEntries(measured.counts)).toEqual({
      'test_reconciles_total{outcome="done"}': 1,
      'test_reconciles_total{outcome="failed"}': 1,
    });
    expect(measured.observed.get('test_reconcile_duration_seconds')).toHaveLength(2);
  });

  test('one that does not end within all deadlines is a sign that the daemon hangs', async () => {
    const rounds = createMeteredRounds({ meter: measured.meter, metrics });
    const hanging = deferred();
    const round = rounds.of(() => hanging.promise, signal)([]);
    await vi.advanceTimersByTimeAsync(119_000);
    expect(rounds.areAlive()).toBe(true);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(rounds.areAlive()).toBe(false);
    hanging.resolve();
    await round;
    expect(rounds.areAlive()).toBe(true);
  });
});
