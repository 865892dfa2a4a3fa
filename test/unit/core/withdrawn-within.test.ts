import { describe, expect, test } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { formatValue } from '../../../src/core/keyspace.js';
import { registrationsOf, type Registrations } from '../../../src/core/registrations.js';
import { containerWith } from '../support/containers.js';
import { policyWith } from '../support/registrations.js';

const healthCheck = {
  command: 'curl -f http://localhost:8000/healthz || exit 1',
  intervalMs: 5_000,
  timeoutMs: 3_000,
  retries: 3,
};

function register(labels: Record<string, string>, changes: Partial<ContainerSnapshot> = {}): Registrations {
  const container = containerWith({
    health: 'healthy',
    healthCheck,
    labels: new Map(Object.entries(labels)),
    ...changes,
  });
  return registrationsOf(container, policyWith(), { stopping: false, eventAtMs: null, networkOwner: null });
}

function registered(...given: Parameters<typeof register>): string[] {
  return register(...given).registrations.map((one) => formatValue(one).replace(/^[^?]*\?port=8000&?/, ''));
}

describe('the time within which Docker finds what is sick', () => {
  test('is registered where its HEALTHCHECK asks what the HTTP check asks', () => {
    expect(registered({ SERVICE_CHECK: '/healthz' })).toEqual(['check=/healthz&healthcheck=24s']);
  });

  test.each<[string, Record<string, string>, Partial<ContainerSnapshot>, string]>([
    ['without an HTTP check', {}, {}, ''],
    ['with another path', { SERVICE_CHECK: '/ready' }, {}, 'check=/ready'],
    [
      'where only some statuses pass',
      { SERVICE_CHECK: '/healthz', SERVICE_CHECK_STATUS: '200' },
      {},
      'check=/healthz&check-status=200',
    ],
    ['where its owner says no', { SERVICE_CHECK: '/healthz', SERVICE_HEALTHCHECK: 'no' }, {}, 'check=/healthz'],
    ['without a HEALTHCHECK', { SERVICE_CHECK: '/healthz' }, { healthCheck: null }, 'check=/healthz'],
    [
      'where it takes more than an hour',
      { SERVICE_CHECK: '/healthz' },
      { healthCheck: { ...healthCheck, retries: 1_000_000_000 } },
      'check=/healthz',
    ],
  ])('is not %s', (_what, labels, changes, value) => {
    expect(registered(labels, changes)).toEqual([value]);
    expect(register(labels, changes).misread).toEqual([]);
  });

  test.each([
    [{ SERVICE_CHECK: '/ready', SERVICE_HEALTHCHECK: 'yes' }, 'check=/ready&healthcheck=24s'],
    [
      { SERVICE_CHECK: '/ready', SERVICE_CHECK_STATUS: '200', SERVICE_8000_HEALTHCHECK: 'yes' },
      'check=/ready&check-status=200&healthcheck=24s',
    ],
  ])('is where its owner says that it is as good: %j', (labels, value) => {
    expect(registered(labels)).toEqual([value]);
  });

  test.each<[Record<string, string>, Partial<ContainerSnapshot>, string]>([
    [{ SERVICE_CHECK: '/ready', SERVICE_HEALTHCHECK: '24s' }, {}, 'yes or no'],
    [{ SERVICE_HEALTHCHECK: 'yes' }, {}, 'a word only with a path in SERVICE_CHECK'],
    [
      { SERVICE_CHECK: '/ready', SERVICE_HEALTHCHECK: 'yes' },
      { healthCheck: null },
      'yes only where Docker has a HEALTHCHECK for the container',
    ],
  ])('is not where what was said of it means nothing: %j', (labels, changes, allowed) => {
    expect(register(labels, changes).misread).toMatchObject([{ source: 'label SERVICE_HEALTHCHECK', allowed }]);
    expect(registered(labels, changes).join()).not.toContain('healthcheck');
  });
});
