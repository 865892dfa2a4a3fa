import { settleAddresses, type Claim } from '../core/address-claims.js';
import { admit, type Accounts } from '../core/change-rate.js';
import { shortIdOf, type ContainerSnapshot } from '../core/container.js';
import { formatDuration } from '../core/duration.js';
import { formatValue, keyOf } from '../core/keyspace.js';
import { registrationsOf, type RegistrationPolicy } from '../core/registrations.js';
import type { Logger } from '../ports/log.js';
import type { ContainerView } from './container-view.js';

export interface DesiredOptions {
  readonly prefix: string;
  readonly policy: RegistrationPolicy;
  readonly view: ContainerView;
  /** Changes per second that a container may make on average; 0 is no limit. */
  readonly changeRate: number;
  readonly log: Logger;
}

export interface Desired {
  readonly keys: ReadonlyMap<string, string>;
  /** Ids of containers that run, and of which it is not known what they want. */
  readonly unknown: ReadonlySet<string>;
  /** When a container that is kept out may come back, in ms from now, or null. */
  readonly againInMs: number | null;
}

/** What should stand in etcd, from what runs; tells of each container that is left out, once. */
export function createDesiredKeys({ prefix, policy, view, changeRate, log }: DesiredOptions): () => Desired {
  let told = new Map<string, string>();
  let telling = new Map<string, string>();
  let accounts: Accounts = new Map();
  /** By id, for the log of what is gone by then. */
  const names = new Map<string, string>();

  const tellSkipped = (container: ContainerSnapshot, containerPort: string | null, reason: string): void => {
    const about = `${container.id} ${containerPort ?? ''}`;
    telling.set(about, reason);
    if (told.get(about) === reason) return;
    log.debug({ container: container.name, id: shortIdOf(container.id), containerPort, reason }, 'skipped');
  };

  const limited = (claims: readonly Claim[]): { claims: readonly Claim[]; againInMs: number | null } => {
    if (changeRate === 0) return { claims, againInMs: null };
    const wanted = new Set(claims.map(({ container }) => container.id));
    for (const { container } of claims) names.set(container.id, container.name);
    const admission = admit(accounts, { wanted, nowMs: performance.now(), perSecond: changeRate });
    ({ accounts } = admission);
    const { keptOut, begins, ends, againInMs } = admission;
    const about = (id: string): object => ({ container: names.get(id), id: shortIdOf(id) });
    for (const { id, changes, withinMs } of begins) {
      const retryIn = formatDuration(againInMs ?? 0);
      log.warn(
        { ...about(id), changes, withinMs, changeRate, retryIn },
        'comes and goes too often; kept out meanwhile',
      );
    }
    for (const { id, changes, withinMs } of ends)
      log.info({ ...about(id), changes, withinMs }, 'no longer comes and goes too often');
    for (const id of names.keys()) if (!accounts.has(id)) names.delete(id);
    return { claims: claims.filter(({ container }) => !keptOut.has(container.id)), againInMs };
  };

  return () => {
    telling = new Map();
    const all: Claim[] = [];
    for (const container of view.snapshots()) {
      const { registrations, skipped } = registrationsOf(container, policy, view.isStopping(container.id));
      for (const registration of registrations) all.push({ container, registration });
      for (const { containerPort, reason } of skipped) tellSkipped(container, containerPort, reason);
    }
    const { claims: admitted, againInMs } = limited(all);
    const { claims, outdone } = settleAddresses(admitted);
    for (const { container, registration } of outdone)
      tellSkipped(container, String(registration.servicePort), 'its address belongs to a container that started later');
    told = telling;
    const keys = new Map(
      claims.map(({ registration }) => [keyOf(prefix, registration), formatValue(registration)] as const),
    );
    return { keys, unknown: view.unknown(), againInMs };
  };
}
