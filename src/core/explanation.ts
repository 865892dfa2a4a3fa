import { createAddressClaims, whyOutdone, type Claim } from './address-claims.js';
import { networkOwnerOf, shortIdOf, type ContainerSnapshot } from './container.js';
import { formatValue, keyOf, withoutTime } from './keyspace.js';
import type { Misread } from './found.js';
import { oldestClaims, whyBeyond } from './registration-limits.js';
import { registrationsOf, type RegistrationPolicy } from './registrations.js';
import { printable, type Parsed } from './result.js';
import type { Registration } from './service.js';
import { signatureOf, withoutSignature } from './signature.js';

/** What becomes of a container, port by port; `docker-register explain --json` prints it. */
export interface Explanation {
  readonly container: string;
  readonly id: string;
  readonly image: string;
  readonly registrations: readonly ExplainedRegistration[];
  /** What is left out, and why; `port` is null where it is the whole container. */
  readonly skipped: readonly { readonly port: string | null; readonly reason: string; readonly mend: string }[];
  /** Labels and variables that are not understood; the defaults hold instead. */
  readonly misread: readonly Misread[];
  /** Why etcd could not be asked, so that what stands there is not known; null where it answered. */
  readonly etcd: string | null;
}

export interface ExplainedRegistration {
  readonly key: string;
  /** As it should stand in etcd. */
  readonly value: string;
  /** Null where etcd does not answer. */
  readonly isRegistered: boolean | null;
  /** Id of the key that signed what stands there, or null. */
  readonly signedBy: string | null;
  /** How it stands, or why it does not. */
  readonly state: string;
  /** Null where it is as it should be. */
  readonly mend: string | null;
}

type Outcome = Pick<ExplainedRegistration, 'isRegistered' | 'state' | 'mend'>;

export interface Circumstances {
  readonly policy: RegistrationPolicy;
  readonly prefix: string;
  /** All that run on this host; the container itself may be among them. */
  readonly running: readonly ContainerSnapshot[];
  /** What stands in etcd, value by key; or why it could not be asked. */
  readonly standing: Parsed<ReadonlyMap<string, string>>;
}

export function explanationOf(container: ContainerSnapshot, circumstances: Circumstances): Explanation {
  const { policy, prefix, running, standing } = circumstances;
  const all = [container, ...running.filter(({ id }) => id !== container.id)];
  const addressClaims = createAddressClaims();
  const read = (one: ContainerSnapshot): ReturnType<typeof registrationsOf> => {
    const outcome = registrationsOf(one, policy, {
      stopping: false,
      eventAtMs: null,
      networkOwner: networkOwnerOf(one, all),
    });
    const claims = outcome.registrations.map((registration): Claim => ({ container: one, registration }));
    addressClaims.replace([[one.id, claims]]);
    return outcome;
  };
  const [own] = all.map(read);
  const losses = new Map([...addressClaims.outdone()].map(([{ registration }, loss]) => [registration, loss]));
  const most = policy.limits.registrations;
  const settled = [...addressClaims.settled().values()];
  const beyond = new Set(oldestClaims(settled, most).beyond.map(({ registration }) => registration));
  const registrations = (own?.registrations ?? []).map((registration) => {
    const loss = losses.get(registration);
    const key = keyOf(prefix, registration);
    const value = standing.ok ? standing.value.get(key) : undefined;
    const why = beyond.has(registration) ? whyBeyond(most) : loss === undefined ? null : whyOutdone(loss);
    const outcome: Outcome =
      why !== null
        ? { isRegistered: false, state: why.reason, mend: why.mend }
        : standing.ok
          ? stateOf(registration, value)
          : { isRegistered: null, state: 'not known: etcd does not answer', mend: 'docker-register doctor tells why' };
    const signedBy = signatureOf(key, value ?? '')?.by ?? null;
    const signed = signedBy !== null && outcome.isRegistered === true ? `; signed by ${signedBy}` : '';
    return { key, value: formatValue(registration), ...outcome, state: `${outcome.state}${signed}`, signedBy };
  });
  return {
    container: container.name,
    id: shortIdOf(container.id),
    image: container.image,
    registrations,
    skipped: (own?.skipped ?? []).map(({ containerPort, reason, mend }) => ({ port: containerPort, reason, mend })),
    misread: own?.misread ?? [],
    etcd: standing.ok ? null : standing.reason,
  };
}

function stateOf(registration: Registration, standing: string | undefined): Outcome {
  const value = standing === undefined ? undefined : withoutTime(withoutSignature(standing));
  if (value === formatValue(registration)) return { isRegistered: true, state: 'registered', mend: null };
  if (value === formatValue({ ...registration, state: 'drain' }))
    return { isRegistered: true, state: 'registered, and drains: its stop was announced', mend: null };
  if (value !== undefined)
    return {
      isRegistered: false,
      state: `in etcd with another value, ${printable(value, 200)}`,
      mend: 'is docker-register up to date, with the same settings as this? Its log tells; docker-register doctor too',
    };
  return {
    isRegistered: false,
    state: 'not in etcd: docker-register does not run, does not reach etcd, or keeps it out (CHANGE_RATE)',
    mend: 'docker-register doctor tells whether it runs and reaches etcd, its log whether it keeps the container out',
  };
}
