import { settleClaims, whyOutdone } from '../core/address-claims.js';
import { admit, type Accounts } from '../core/change-rate.js';
import { networkOwnerOf, shortIdOf, type ContainerSnapshot } from '../core/container.js';
import { formatDuration } from '../core/duration.js';
import type { RegistrationPolicy, Skipped } from '../core/registrations.js';
import { nothingBeyond, oldestClaims, whyBeyond, type BeyondCounts } from '../core/registration-limits.js';
import { printable } from '../core/result.js';
import type { SkipKind } from '../core/skip.js';
import type { Logger } from '../ports/log.js';
import type { Misread } from '../core/found.js';
import type { ContainerView } from './container-view.js';
import { areApart, createContributions, type KeyedClaim, type KeySource } from './contributions.js';

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
  /** By key: whose it is. */
  readonly sources: ReadonlyMap<string, KeySource>;
  /** Ids of containers that run, and of which it is not known what they want. */
  readonly unknown: ReadonlySet<string>;
  /** When a container that is kept out may come back, in ms from now, or null. */
  readonly againInMs: number | null;
  readonly leftOut: LeftOut;
  /** The times of events that went into the values; see `ContainerView`. */
  readonly eventTimes: ReadonlyMap<string, number>;
}

/** How much is not registered, or not as it was meant. */
export interface LeftOut {
  /** Containers and single ports, by the kind of the reason. */
  readonly skipped: ReadonlyMap<SkipKind, number>;
  /** Labels and variables that are not understood. */
  readonly misread: number;
  /** Containers that come and go too often. */
  readonly keptOut: number;
  readonly beyond: BeyondCounts;
}

export const nothingLeftOut: LeftOut = { skipped: new Map(), misread: 0, keptOut: 0, beyond: nothingBeyond };

/** What should stand in etcd, from what runs; tells of each container that is left out, once. */
export function createDesiredKeys({ prefix, policy, view, changeRate, log }: DesiredOptions): () => Desired {
  const contributionOf = createContributions(prefix, policy);
  let told = new Map<string, string>();
  let telling = new Map<string, string>();
  let accounts: Accounts = new Map();
  /** Of those that are kept out, by id, for the log of what is gone by then. */
  const names = new Map<string, string>();

  /** Once, until it is otherwise. */
  const isNews = ({ id }: ContainerSnapshot, about: string, what: string): boolean => {
    telling.set(`${id} ${about}`, what);
    return told.get(`${id} ${about}`) !== what;
  };

  const tellSkipped = (container: ContainerSnapshot, { containerPort, reason, mend, isDoubtful }: Skipped): void => {
    if (!isNews(container, containerPort ?? '', reason)) return;
    const fields = { container: container.name, id: shortIdOf(container.id), containerPort, reason, mend };
    log[isDoubtful ? 'warn' : 'debug'](fields, 'skipped');
  };

  const tellMisread = (container: ContainerSnapshot, { source, value, allowed }: Misread): void => {
    if (!isNews(container, source, value)) return;
    const fields = {
      container: container.name,
      id: shortIdOf(container.id),
      source,
      value: printable(value, 80),
      allowed,
    };
    log.warn(fields, 'not understood; the default holds');
  };

  let wasBeyond = false;
  /** Of all together, at the beginning and at the end: which they are is for `explain`. */
  const tellBeyond = (leftOut: number): void => {
    const most = policy.limits.registrations;
    if (leftOut > 0 && !wasBeyond)
      log.warn(
        { leftOut, maxRegistrations: most },
        'more registrations than MAX_REGISTRATIONS; those of the containers that run the longest stay, the others are left out',
      );
    if (leftOut === 0 && wasBeyond)
      log.info({ maxRegistrations: most }, 'no more registrations than MAX_REGISTRATIONS');
    wasBeyond = leftOut > 0;
  };

  const limited = (
    claims: readonly KeyedClaim[],
  ): { claims: readonly KeyedClaim[]; keptOut: number; againInMs: number | null } => {
    if (changeRate === 0) return { claims, keptOut: 0, againInMs: null };
    const wanted = new Set<string>();
    for (const { container } of claims) wanted.add(container.id);
    const admission = admit(accounts, { wanted, nowMs: performance.now(), perSecond: changeRate });
    ({ accounts } = admission);
    const { keptOut, begins, ends, againInMs } = admission;
    for (const { id } of begins)
      names.set(id, claims.find(({ container }) => container.id === id)?.container.name ?? '');
    const about = (id: string): object => ({ container: names.get(id), id: shortIdOf(id) });
    for (const { id, changes, withinMs } of begins) {
      const retryIn = formatDuration(againInMs ?? 0);
      log.warn(
        { ...about(id), changes, withinMs, changeRate, retryIn },
        'comes and goes too often; kept out meanwhile',
      );
    }
    for (const { id, changes, withinMs } of ends) {
      log.info({ ...about(id), changes, withinMs }, 'no longer comes and goes too often');
      names.delete(id);
    }
    if (keptOut.size === 0) return { claims, keptOut: 0, againInMs };
    const admitted = claims.filter(({ container }) => !keptOut.has(container.id));
    return { claims: admitted, keptOut: keptOut.size, againInMs };
  };

  return () => {
    telling = new Map();
    const all: KeyedClaim[] = [];
    const snapshots = [...view.snapshots()];
    const eventTimes = view.eventTimes();
    const counts = new Map<SkipKind, number>();
    let notUnderstood = 0;
    let portsBeyond = 0;
    const leaveOut = (container: ContainerSnapshot, one: Skipped): void => {
      counts.set(one.kind, (counts.get(one.kind) ?? 0) + 1);
      tellSkipped(container, one);
    };
    for (const container of snapshots) {
      const circumstances = {
        stopping: view.isStopping(container.id),
        eventAtMs: eventTimes.get(container.id) ?? null,
        networkOwner: networkOwnerOf(container, snapshots),
      };
      const own = contributionOf(container, circumstances);
      for (const claim of own.claims) all.push(claim);
      for (const one of own.skipped) leaveOut(container, one);
      for (const one of own.misread) tellMisread(container, one);
      portsBeyond += own.portsBeyond;
      notUnderstood += own.misread.length;
    }
    const { claims: admitted, keptOut, againInMs } = limited(all);
    const { claims: settled, outdone } = areApart(admitted)
      ? { claims: admitted, outdone: [] }
      : settleClaims(admitted);
    const { taken: claims, beyond } = oldestClaims(settled, policy.limits.registrations);
    for (const one of outdone) {
      const containerPort = String(one.registration.servicePort);
      const isDoubtful = one.lost === 'SERVICE_ID';
      leaveOut(one.container, { kind: 'taken', containerPort, ...whyOutdone(one), isDoubtful });
    }
    const why = whyBeyond(policy.limits.registrations);
    for (const { container, registration } of beyond)
      leaveOut(container, {
        kind: 'limit',
        containerPort: String(registration.servicePort),
        ...why,
        isDoubtful: false,
      });
    tellBeyond(beyond.length);
    told = telling;
    const [keys, sources] = [new Map<string, string>(), new Map<string, KeySource>()];
    for (const { key, value, source } of claims) {
      keys.set(key, value);
      sources.set(key, source);
    }
    const leftOut = {
      skipped: counts,
      misread: notUnderstood,
      keptOut,
      beyond: {
        registrations: beyond.length,
        ports: portsBeyond,
        label_bytes: snapshots.filter((container) => container.beyond.labelBytes !== null).length,
      },
    };
    return { keys, sources, unknown: view.unknown(), againInMs, leftOut, eventTimes };
  };
}
