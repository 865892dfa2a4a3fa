import { expect, test } from 'vitest';
import { settleAddresses, type Claim } from '../../../src/core/address-claims.js';
import { containerId, containerWith } from '../support/containers.js';
import { registrationWith } from '../support/registrations.js';

function claimOf(start: string, startedAt: string, port: number): Claim {
  const registration = registrationWith({ id: start, address: { host: '10.170.71.226', port } });
  return { container: containerWith({ id: containerId(start), startedAt }), registration };
}

const older = claimOf('aaaaaaaaaaaa', '2026-11-23T11:05:00.1Z', 49153);
const newer = claimOf('bbbbbbbbbbbb', '2026-11-23T11:05:01.1Z', 49153);
const elsewhere = claimOf('cccccccccccc', '2026-11-23T11:04:00.1Z', 49154);

test.each([[[older, newer, elsewhere]], [[elsewhere, newer, older]]])(
  'an address belongs to the container that started last: %#',
  (claims) => {
    const { claims: left, outdone } = settleAddresses(claims);
    expect(new Set(left)).toEqual(new Set([newer, elsewhere]));
    expect(outdone).toEqual([older]);
  },
);

test('two ports of one container are no conflict', () => {
  const other = { ...older, registration: elsewhere.registration };
  expect(settleAddresses([older, other])).toEqual({ claims: [older, other], outdone: [] });
});
