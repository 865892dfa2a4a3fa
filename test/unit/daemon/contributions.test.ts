import { describe, expect, test } from 'vitest';
import type { Circumstances } from '../../../src/core/registrations.js';
import { createContributions } from '../../../src/daemon/contributions.js';
import { containerWith } from '../support/containers.js';
import { policyWith, prefix } from '../support/registrations.js';

const usual: Circumstances = { stopping: false, eventAtMs: null, networkOwner: null };

describe('what a container contributes', () => {
  test('is worked out once while nothing about it changes', () => {
    const contributionOf = createContributions(prefix, policyWith());
    const container = containerWith();
    const first = contributionOf(container, usual);
    expect(first.claims.map(({ key }) => key)).toEqual([`${prefix}/whoami/0123456789ab`]);
    expect(contributionOf(container, { ...usual })).toBe(first);
  });

  test.each<[string, Partial<Circumstances>, string]>([
    ['its stop is announced', { stopping: true }, 'state=drain'],
    ['an event led to it', { eventAtMs: 0 }, 'at=1970-01-01T00:00:00.000Z'],
    ['the container whose network it shares runs', { networkOwner: containerWith({ name: 'other' }) }, ':49153'],
  ])('is worked out again when %s', (_what, change, expected) => {
    const contributionOf = createContributions(prefix, policyWith());
    const container = containerWith({ networkOf: 'networkOwner' in change ? 'other' : null });
    const first = contributionOf(container, usual);
    const second = contributionOf(container, { ...usual, ...change });
    expect(second).not.toBe(first);
    expect(second.claims.map(({ value }) => value).join()).toContain(expected);
    expect(contributionOf(container, usual)).toEqual(first);
  });

  test('is worked out again when it was looked at again', () => {
    const contributionOf = createContributions(prefix, policyWith());
    contributionOf(containerWith(), usual);
    const [claim] = contributionOf(containerWith({ labels: new Map([['SERVICE_NAME', 'web']]) }), usual).claims;
    expect(claim?.key).toBe(`${prefix}/web/0123456789ab`);
  });
});
