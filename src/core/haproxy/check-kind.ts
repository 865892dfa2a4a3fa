import { formatDuration } from '../duration.js';
import {
  basePace,
  checkLoadOf,
  formatPace,
  foundWithinMs,
  isByDocker,
  isHttpPaced,
  paceOf,
  type CheckPace,
  type PaceBounds,
} from './check-pace.js';
import type { ListenerCheck } from '../status-parts.js';
import type { Listener } from './listener.js';

/** From Docker's word that a container is unhealthy to the pools of all client hosts, at the most, ms: what is on the way takes much less. */
const toldWithinMs = 1_000;

/**
 * Within what time what is frozen or sick is out, where Docker's HEALTHCHECK looks after every endpoint of the listener; null where
 * it does not.
 */
export function dockerFindsWithinMs({ servers }: Pick<Listener, 'servers'>): number | null {
  let longest = 0;
  for (const { healthcheckMs } of servers) {
    if (healthcheckMs === null) return null;
    longest = Math.max(longest, healthcheckMs);
  }
  return longest === 0 ? null : longest + toldWithinMs;
}

/**
 * Whether a check of layer 4 will do in place of the listener's HTTP check: that has to be rarer than the service may expect, and Docker
 * finds what only it would find no later. What a service asks for itself is obeyed.
 */
export function mayBeLayer4(listener: Listener, pace: CheckPace): boolean {
  if (!isHttpPaced(listener) || pace.httpMs <= basePace.httpMs) return false;
  const withinMs = dockerFindsWithinMs(listener);
  return withinMs !== null && withinMs <= foundWithinMs('http', pace);
}

/** How the kinds of a pace are, and how they are to become. */
export interface Kinds {
  /** Names of the listeners that are to be checked by layer 4 in place of HTTP. */
  readonly wanted: ReadonlySet<string>;
  /** Of those that are, the ones whose HTTP checks are missed. */
  readonly missed: ReadonlySet<string>;
  /** There is one that might be, and is not yet. */
  readonly isMore: boolean;
}

/**
 * One that has no endpoint stays what it is.
 *
 * @param isObeyed what Docker finds is withdrawn, and HAProxy is told; where not, no check of layer 4 will do
 */
export function kindsOf(listeners: readonly Listener[], pace: CheckPace, isObeyed: boolean): Kinds {
  const wanted = new Set<string>();
  const missed = new Set<string>();
  let isMore = false;
  for (const listener of listeners) {
    const { name, servers } = listener;
    const isNow = pace.byDocker.has(name);
    if (servers.length === 0 ? isNow : isObeyed && mayBeLayer4(listener, pace)) {
      wanted.add(name);
      isMore ||= !isNow;
    } else if (isNow) missed.add(name);
  }
  return { wanted, missed, isMore };
}

/** The same pace with other kinds; the same object where they are the same. */
export function withKinds(pace: CheckPace, byDocker: ReadonlySet<string>): CheckPace {
  const isSame = byDocker.size === pace.byDocker.size && [...byDocker].every((name) => pace.byDocker.has(name));
  return isSame ? pace : { ...pace, byDocker };
}

/** The names that still mean something: of listeners that are there, and whose HTTP checks are the pace's. */
export function meantNames(listeners: readonly Listener[], pace: CheckPace): ReadonlySet<string> {
  return new Set(listeners.filter((listener) => isByDocker(listener, pace)).map(({ name }) => name));
}

/** The pace that a daemon comes to that begins with these listeners. */
export function firstPaceOf(
  listeners: readonly Listener[],
  {
    clientHosts,
    bounds,
    isObeyed,
  }: { readonly clientHosts: number; readonly bounds: PaceBounds; readonly isObeyed: boolean },
): CheckPace {
  const pace = paceOf(checkLoadOf(listeners, clientHosts), bounds, null);
  return withKinds(pace, kindsOf(listeners, pace, isObeyed).wanted);
}

/**
 * What is another, as the reason of a reload; null where it is nothing.
 *
 * @param listeners those that HAProxy is to have: of others nothing is told
 */
export function formatPaceChange(before: CheckPace, now: CheckPace, listeners: readonly Listener[]): string | null {
  if (before.tcpMs !== now.tcpMs || before.httpMs !== now.httpMs) return formatPace(now);
  const changed = (from: CheckPace, to: CheckPace): string[] =>
    listeners.filter((one) => isByDocker(one, to) && !isByDocker(one, from)).map(({ name }) => name);
  const [added, removed] = [changed(before, now), changed(now, before)];
  const mayStill = new Set(listeners.filter((one) => mayBeLayer4(one, now)).map(({ name }) => name));
  const texts = [
    {
      names: removed.filter((name) => !mayStill.has(name)),
      text: "over HTTP again, since Docker's HEALTHCHECK no longer looks after all endpoints as well",
    },
    {
      names: removed.filter((name) => mayStill.has(name)),
      text: "over HTTP again, since etcd did not answer for a while, or an endpoint was there that Docker's HEALTHCHECK does not look after",
    },
    { names: added, text: "by layer 4 in place of HTTP, since Docker's HEALTHCHECK finds what is sick no later" },
  ].flatMap(({ names, text }) => (names.length === 0 ? [] : [`${namesOf(names)} ${text}`]));
  return texts.length === 0 ? null : `checks of ${texts.join('; of ')}`;
}

function namesOf(names: readonly string[]): string {
  const [first = '', ...more] = [...names].sort();
  return more.length === 0 ? first : `${first} and ${String(more.length)} more`;
}

export function listenerCheckOf(listener: Listener, pace: CheckPace): ListenerCheck {
  const { check, checkIntervalMs } = listener;
  const isInstead = isByDocker(listener, pace);
  const kind = check === null || isInstead ? 'tcp' : 'http';
  const intervalMs = checkIntervalMs ?? pace[`${kind}Ms`];
  const deadWithinMs = foundWithinMs(kind, pace, intervalMs);
  const frozenWithinMs = kind === 'http' ? deadWithinMs : isInstead ? dockerFindsWithinMs(listener) : null;
  const how = `${kind === 'http' ? `over HTTP (${check ?? ''})` : 'by layer 4'} every ${formatDuration(intervalMs)}`;
  const because = pace.because ?? '';
  const why =
    checkIntervalMs !== null
      ? ', as the service asks'
      : isInstead
        ? ` in place of HTTP (${check ?? ''}) every ${formatDuration(pace.httpMs)}: Docker's HEALTHCHECK looks after all endpoints (${because})`
        : intervalMs > basePace[`${kind}Ms`]
          ? `, slowed from ${formatDuration(basePace[`${kind}Ms`])} (${because})`
          : '';
  const found =
    frozenWithinMs === deadWithinMs
      ? `dead or frozen is out within ${secondsOf(deadWithinMs)}`
      : `dead is out within ${secondsOf(deadWithinMs)}, frozen ${frozenWithinMs === null ? 'is not found' : `within ${secondsOf(frozenWithinMs)}`}`;
  return { kind, intervalMs, deadWithinMs, frozenWithinMs, text: `checked ${how}${why}; what is ${found}` };
}

function secondsOf(ms: number): string {
  return `${String(Math.ceil(ms / 100) / 10)}s`;
}

/** Listeners by how they are checked; `docker` where a check of layer 4 stands in for that over HTTP. */
export function checkedOf(
  listeners: readonly Listener[],
  pace: CheckPace,
): Readonly<Record<'tcp' | 'http' | 'docker', number>> {
  const counts = { tcp: 0, http: 0, docker: 0 };
  for (const one of listeners) counts[isByDocker(one, pace) ? 'docker' : one.check === null ? 'tcp' : 'http'] += 1;
  return counts;
}
