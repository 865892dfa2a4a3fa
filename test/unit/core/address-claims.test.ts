import { expect, test } from 'vitest';
import { createAddressClaims, type Claim, type Loss } from '../../../src/core/address-claims.js';
import { containerId, containerWith } from '../support/containers.js';
import { registrationWith } from '../support/registrations.js';

function claimOf(start: string, startedAt: string, port: number): Claim {
  const registration = registrationWith({ id: start, address: { host: '10.170.71.226', port } });
  return { container: containerWith({ id: containerId(start), startedAt }), registration };
}

/** All at once. */
function settleClaims(claims: readonly Claim[]): { claims: Claim[]; outdone: (Claim & Loss)[] } {
  const addressClaims = createAddressClaims();
  const byContainer = new Map<string, Claim[]>();
  for (const claim of claims) {
    const { id } = claim.container;
    byContainer.set(id, [...(byContainer.get(id) ?? []), claim]);
  }
  addressClaims.replace(byContainer);
  const outdone = [...addressClaims.outdone()].map(([claim, loss]) => ({ ...claim, ...loss }));
  return { claims: [...addressClaims.settled().values()], outdone };
}

const older = claimOf('aaaaaaaaaaaa', '2026-11-23T11:05:00.1Z', 49153);
const newer = claimOf('bbbbbbbbbbbb', '2026-11-23T11:05:01.1Z', 49153);
const elsewhere = claimOf('cccccccccccc', '2026-11-23T11:04:00.1Z', 49154);

test.each([[[older, newer, elsewhere]], [[elsewhere, newer, older]]])(
  'an address belongs to the container that started last: %#',
  (claims) => {
    const { claims: left, outdone } = settleClaims(claims);
    expect(new Set(left)).toEqual(new Set([newer, elsewhere]));
    expect(outdone).toEqual([{ ...older, lost: 'address', winner: 'whoami-1' }]);
  },
);

test('two ports of one container are no conflict', () => {
  const other = { ...older, registration: elsewhere.registration };
  expect(settleClaims([older, other])).toEqual({ claims: [older, other], outdone: [] });
});

test('a name that two containers were given belongs to the one that started last', () => {
  const named = (claim: Claim): Claim => ({ ...claim, registration: { ...claim.registration, id: 'same' } });
  const [first, second] = [named(elsewhere), named(newer)];
  expect(settleClaims([second, first])).toEqual({
    claims: [second],
    outdone: [{ ...first, lost: 'SERVICE_ID', winner: 'whoami-1' }],
  });
});

test('a port of a shared network belongs to the container that exposes it, whichever started last', () => {
  const guest = { ...older, container: { ...older.container, networkOf: newer.container.id } };
  expect(settleClaims([newer, guest])).toEqual({
    claims: [guest],
    outdone: [{ ...newer, lost: 'address', winner: 'whoami-1' }],
  });
  expect(settleClaims([guest, newer])).toEqual({
    claims: [guest],
    outdone: [{ ...newer, lost: 'address', winner: 'whoami-1' }],
  });
});
