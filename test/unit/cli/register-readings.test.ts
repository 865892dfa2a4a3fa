import { expect, test } from 'vitest';
import { registerHealth, registerReadings } from '../../../src/cli/register-readings.js';
import { registerMetrics } from '../../../src/core/metrics/register.js';
import { defaultRegistrationLimits } from '../../../src/core/registration-limits.js';
import type { RegisterCounts } from '../../../src/daemon/register.js';

const ttlMs = 15_000;

test.each<[string, RegisterCounts['lease'], number]>([
  ['there is none', null, 0],
  ['etcd has confirmed it within its TTL', { heldMs: 60_000, unconfirmedMs: ttlMs }, 1],
  ['etcd has not', { heldMs: 60_000, unconfirmedMs: ttlMs + 1 }, 0],
])('whether a lease is held, where %s', (_how, lease, held) => {
  const counts = (): RegisterCounts => ({
    containers: 0,
    registrations: 0,
    lease,
    skipped: new Map(),
    misread: 0,
    keptOut: 0,
    beyond: { registrations: 0, ports: 0, label_bytes: 0 },
  });
  const readings = registerReadings({ counts }, { ttlMs, limits: defaultRegistrationLimits });
  expect(readings.find(({ metric }) => metric === registerMetrics.leaseHeld)?.read()).toBe(held);
});

test.each<[boolean, string | null, RegExp]>([
  [false, null, /^not ready/],
  [true, null, /^ready, without a lease that etcd has confirmed/],
  [true, 'lease-1', /^ready: registered under a lease$/],
])('readiness (%s) says under which lease (%s)', (ready, lease, text) => {
  const status = () => ({ ready, lease, registrations: 0 });
  expect(registerHealth({ status, isAlive: () => true }).readiness()).toMatchObject({
    isReady: ready,
    text: expect.stringMatching(text) as unknown,
  });
});
