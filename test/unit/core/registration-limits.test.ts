import { expect, test } from 'vitest';
import type { Claim } from '../../../src/core/address-claims.js';
import { oldestClaims } from '../../../src/core/registration-limits.js';
import { containerId, containerWith } from '../support/containers.js';
import { registrationWith } from '../support/registrations.js';

function claim(start: string, second: number, servicePort = 80): Claim {
  const startedAt = `2026-11-23T11:05:0${String(second)}.1Z`;
  return { container: containerWith({ id: containerId(start), startedAt }), registration: registrationWith({ id: start, servicePort }) }; // prettier-ignore
}

test('the containers that run the longest stay, in whatever order they come, with their lowest ports', () => {
  const [a, b, c, d] = [claim('a', 3), claim('b', 1), claim('c', 2, 80), claim('c', 2, 81)];
  const { taken, beyond } = oldestClaims([a, c, d, b], 2);
  expect([taken, beyond]).toEqual([
    [b, c],
    [d, a],
  ]);
  expect(oldestClaims([c, d, a, b], 2).taken).toEqual([b, c]);
});

test('nothing is touched where there is room', () => {
  const claims = [claim('b', 2), claim('a', 1)];
  expect(oldestClaims(claims, 2)).toEqual({ taken: claims, beyond: [] });
});
