import { createAddressClaims, whyOutdone } from '../core/address-claims.js';
import type { ContainerSnapshot } from '../core/container.js';
import { oldestClaims, whyBeyond, type BeyondCounts } from '../core/registration-limits.js';
import type { RegistrationPolicy, Skipped } from '../core/registrations.js';
import type { SkipKind } from '../core/skip.js';
import type { Logger } from '../ports/log.js';
import { createAdmissions } from './admissions.js';
import type { ContainerView } from './container-view.js';
import { createContributions, type KeyedClaim, type KeySource } from './contributions.js';
import { createSkipNotices } from './skip-notices.js';

export interface DesiredOptions {
  readonly prefix: string;
  readonly policy: RegistrationPolicy;
  readonly view: Pick<
    ContainerView,
    'eventTimes' | 'find' | 'forgetTimes' | 'isStopping' | 'snapshots' | 'takeTouched' | 'unknown'
  >;
  /** Changes per second that a container may make on average; 0 is no limit. */
  readonly changeRate: number;
  readonly log: Logger;
}

export interface Desired {
  /** Value by key. Changes with the next look. */
  readonly keys: ReadonlyMap<string, string>;
  /** By key: whose it is. Changes with the next look. */
  readonly sources: ReadonlyMap<string, KeySource>;
  /** Keys that may be otherwise than at the last look; null where any may be. */
  readonly changed: ReadonlySet<string> | null;
  /** Ids of containers that run, and of which it is not known what they want. */
  readonly unknown: ReadonlySet<string>;
  /** When a container that is kept out may come back, in ms from now, or null. */
  readonly againInMs: number | null;
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

export interface DesiredKeys {
  /** What should stand in etcd now; tells of each container that is left out, once. */
  look(): Desired;
  /** What was desired at the last look stands in etcd: the events that led to it have led to what they lead to. */
  settle(): void;
  /** As of the last look. */
  leftOut(): LeftOut;
}

interface LeftOutClaim {
  readonly container: ContainerSnapshot;
  readonly skipped: Skipped;
}

/** What should stand in etcd, from what runs. A look costs as much as what has changed since the last. */
export function createDesiredKeys({ prefix, policy, view, changeRate, log }: DesiredOptions): DesiredKeys {
  const most = policy.limits.registrations;
  const contributions = createContributions(prefix, policy, view);
  const admissions = createAdmissions(changeRate, log);
  const addressClaims = createAddressClaims<KeyedClaim>();
  const notices = createSkipNotices(log);
  const keys = new Map<string, string>();
  const sources = new Map<string, KeySource>();
  /** Those of the registrations that are beyond the limit. */
  let beyond: readonly KeyedClaim[] = [];
  /** Of whom it was told that a claim of theirs is left out. */
  let toldOf = new Set<string>();
  let eventTimes: ReadonlyMap<string, number> = new Map();

  const drop = ({ key }: KeyedClaim): void => {
    keys.delete(key);
    sources.delete(key);
  };
  const take = ({ key, value, source }: KeyedClaim): void => {
    keys.set(key, value);
    sources.set(key, source);
  };

  /** Of all together, at the beginning and at the end: which they are is for `explain`. */
  const tellBeyond = (before: number, leftOut: number): void => {
    if (leftOut > 0 && before === 0)
      log.warn(
        { leftOut, maxRegistrations: most },
        'more registrations than MAX_REGISTRATIONS; those of the containers that run the longest stay, the others are left out',
      );
    if (leftOut === 0 && before > 0)
      log.info({ maxRegistrations: most }, 'no more registrations than MAX_REGISTRATIONS');
  };

  /** @returns whether any key may have changed by it */
  const limit = (): boolean => {
    const before = beyond.length;
    const settled = addressClaims.settled();
    if (before === 0 && settled.size <= most) return false;
    const limited = oldestClaims([...settled.values()], most);
    ({ beyond } = limited);
    keys.clear();
    sources.clear();
    for (const claim of limited.taken) take(claim);
    tellBeyond(before, beyond.length);
    return true;
  };

  const leftOutClaims = (): LeftOutClaim[] => {
    const outdone = [...addressClaims.outdone()].map(([{ container, registration }, loss]) => {
      const [containerPort, isDoubtful] = [String(registration.servicePort), loss.lost === 'SERVICE_ID'];
      return { container, skipped: { kind: 'taken', containerPort, ...whyOutdone(loss), isDoubtful } as const };
    });
    const tooMany = beyond.map(({ container, registration }) => {
      const containerPort = String(registration.servicePort);
      return { container, skipped: { kind: 'limit', containerPort, ...whyBeyond(most), isDoubtful: false } as const };
    });
    return [...outdone, ...tooMany];
  };

  const tellLeftOut = (): void => {
    const byContainer = new Map<string, { container: ContainerSnapshot; skipped: Skipped[] }>();
    for (const { container, skipped } of leftOutClaims()) {
      const there = byContainer.get(container.id);
      if (there === undefined) byContainer.set(container.id, { container, skipped: [skipped] });
      else there.skipped.push(skipped);
    }
    for (const id of toldOf) if (!byContainer.has(id)) notices.tell(`claims of ${id}`, null);
    for (const [id, { container, skipped }] of byContainer)
      notices.tell(`claims of ${id}`, { container, skipped, misread: [] });
    toldOf = new Set(byContainer.keys());
  };

  return {
    look() {
      eventTimes = view.eventTimes();
      const renewed = contributions.renew(eventTimes);
      for (const [id, contribution] of renewed) notices.tell(id, contribution);
      const admitted = admissions.look(renewed);
      const keptOut = admissions.keptOut();
      const claimsOf = (id: string): readonly KeyedClaim[] =>
        keptOut.has(id) ? [] : (contributions.find(id)?.claims ?? []);
      const ids = new Set([...renewed.keys(), ...admitted]);
      const turns = addressClaims.replace([...ids].map((id) => [id, claimsOf(id)]));
      const changed = new Set<string>();
      for (const { before, now } of turns) {
        if (before !== undefined) drop(before);
        if (now !== undefined) take(now);
        for (const claim of [before, now]) if (claim !== undefined) changed.add(claim.key);
      }
      const isAny = limit();
      tellLeftOut();
      const [unknown, againInMs] = [view.unknown(), admissions.againInMs()];
      return { keys, sources, changed: isAny ? null : changed, unknown, againInMs };
    },

    settle() {
      view.forgetTimes(eventTimes);
    },

    leftOut() {
      const skipped = new Map<SkipKind, number>();
      const count = ({ kind }: Skipped): void => {
        skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
      };
      let [misread, ports, labelBytes] = [0, 0, 0];
      for (const own of contributions.all()) {
        own.skipped.forEach(count);
        misread += own.misread.length;
        ports += own.portsBeyond;
        if (own.container.beyond.labelBytes !== null) labelBytes += 1;
      }
      for (const one of leftOutClaims()) count(one.skipped);
      const counts = { registrations: beyond.length, ports, label_bytes: labelBytes };
      return { skipped, misread, keptOut: admissions.keptOut().size, beyond: counts };
    },
  };
}
