import type { Claim } from './address-claims.js';
import { compareText } from './catalog.js';

/** How much of what runs on a host is registered, so that a mad container, or a mad owner, does not flood etcd. */
export interface RegistrationLimits {
  /** Of all containers together. */
  readonly registrations: number;
  /** Of one container. */
  readonly ports: number;
  /** Labels and environment variables of one container together, in bytes. */
  readonly labelBytes: number;
}

/** Several times what a host of 1,000 containers has. */
export const defaultRegistrationLimits: RegistrationLimits = {
  registrations: 4_000,
  ports: 500,
  labelBytes: 256 * 1024,
};

/** What was beyond the limits, by the word in metrics. */
export type BeyondCounts = Readonly<Record<'registrations' | 'ports' | 'label_bytes', number>>;

/** Those of the containers that run the longest, whatever the order in which they come. */
export function oldestClaims<T extends Claim>(
  claims: readonly T[],
  most: number,
): { readonly taken: readonly T[]; readonly beyond: readonly T[] } {
  if (claims.length <= most) return { taken: claims, beyond: [] };
  const ordered = [...claims].sort(
    (a, b) =>
      compareText(a.container.startedAt, b.container.startedAt) ||
      compareText(a.container.id, b.container.id) ||
      a.registration.servicePort - b.registration.servicePort ||
      compareText(nameOf(a), nameOf(b)),
  );
  return { taken: ordered.slice(0, most), beyond: ordered.slice(most) };
}

/** So that of the ports of one container the same stay each time. */
function nameOf({ registration: { service, id } }: Claim): string {
  return `${service}/${id}`;
}

export function whyBeyond(most: number): { readonly reason: string; readonly mend: string } {
  return {
    mend: 'stop containers that nobody needs, or raise MAX_REGISTRATIONS of docker-register',
    reason: `there are more registrations on this host than ${String(most)} (MAX_REGISTRATIONS), and it is not among those of the containers that run the longest`,
  };
}
