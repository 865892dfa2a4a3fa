import { beforeEach, describe, expect, test } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { createContributions, type Contributions } from '../../../src/daemon/contributions.js';
import { containerId, containerWith } from '../support/containers.js';
import { FakeView } from '../support/container-view.js';
import { policyWith, prefix } from '../support/registrations.js';

const owner = containerWith({ id: containerId('bbbbbbbbbbbb'), name: 'other', ports: [] });
const guest = containerWith({ networkOf: owner.id });
let fake: FakeView;
let touched: Set<string> | null;
let contributions: Contributions;

beforeEach(() => {
  fake = new FakeView();
  touched = null;
  contributions = createContributions(prefix, policyWith(), { ...fake.view, takeTouched: () => touched });
});

/** @returns what was worked out again, by the name of its container */
function renew(...containers: ContainerSnapshot[]): Record<string, readonly string[] | null> {
  fake.containers = containers;
  const names = new Map([owner, guest].map(({ id, name }) => [id, name]));
  const renewed = [...contributions.renew(fake.times)].map(([id, contribution]) => {
    const claims = contribution?.claims.map(({ key, value }) => `${key} ${value}`) ?? null;
    return [names.get(id) ?? id, claims] as const;
  });
  return Object.fromEntries(renewed);
}

describe('what a container contributes', () => {
  test('is worked out once while nothing about it changes', () => {
    const container = containerWith();
    const whole = { 'whoami-1': [`${prefix}/whoami/0123456789ab 10.170.71.226:49153?port=8000`] };
    expect(renew(container)).toEqual(whole);
    expect(renew(container)).toEqual({});
    touched = new Set([container.id]);
    expect(renew(container)).toEqual({});
    expect([...contributions.all()]).toMatchObject([{ container }]);
  });

  test.each<[string, () => unknown, string]>([
    ['its stop is announced', () => (fake.stopping = new Set([containerWith().id])), 'state=drain'],
    ['an event led to it', () => (fake.times = new Map([[containerWith().id, 0]])), 'at=1970-01-01T00:00:00.000Z'],
  ])('is worked out again when %s', (_what, happens, expected) => {
    const container = containerWith();
    renew(container);
    happens();
    touched = new Set([container.id]);
    expect(renew(container)).toEqual({ 'whoami-1': [expect.stringContaining(expected)] });
  });

  test('is worked out again when it was looked at again', () => {
    renew(containerWith());
    touched = new Set([containerWith().id]);
    const labels = new Map([['SERVICE_NAME', 'web']]);
    const renewed = renew(containerWith({ labels }));
    expect(renewed).toEqual({ 'whoami-1': [expect.stringContaining(`${prefix}/web/0123456789ab`)] });
  });

  test('is not looked for where nobody said that anything happened', () => {
    renew(containerWith());
    touched = new Set();
    expect(renew(containerWith({ labels: new Map([['SERVICE_NAME', 'web']]) }))).toEqual({});
  });

  test('is nothing when it is gone, and that is told once', () => {
    const container = containerWith();
    renew(container);
    touched = new Set([container.id]);
    expect(renew()).toEqual({ 'whoami-1': null });
    expect(renew()).toEqual({});
    expect(contributions.find(container.id)).toBeUndefined();
  });

  test('hangs on the container whose network it shares, of which alone it was told', () => {
    const named = { ...guest, labels: new Map([['SERVICE_8000_NAME', 'web']]) };
    expect(renew(named)).toEqual({ 'whoami-1': [] });
    touched = new Set([owner.id]);
    const published = { ...owner, ports: containerWith().ports };
    expect(renew(named, published)).toMatchObject({
      'whoami-1': [`${prefix}/web/0123456789ab 10.170.71.226:49153?port=8000`],
    });
    expect(renew(named)).toEqual({ 'whoami-1': [], other: null });
  });
});
