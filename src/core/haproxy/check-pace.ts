import { formatDuration } from '../duration.js';
import type { Listener } from './listener.js';

/** How often servers are checked that are well. */
export interface CheckPace {
  /** Time between two layer-4 checks of one server, ms. */
  readonly tcpMs: number;
  /** Between two HTTP checks. */
  readonly httpMs: number;
  /** Why they are rarer than on a few hosts with a few endpoints, for whoever reads the log; null where they are not. */
  readonly because: string | null;
  /** Names of listeners whose HTTP checks are those of layer 4 meanwhile, since Docker's HEALTHCHECK looks after their endpoints. */
  readonly byDocker: ReadonlySet<string>;
}

/**
 * Only an HTTP check sees a process that hangs, so it asks often; for the others traffic itself tells, and they cost less
 * than half.
 */
export const basePace: CheckPace = { tcpMs: 5_000, httpMs: 2_000, because: null, byDocker: new Set() };

/**
 * Checks that one HAProxy makes in a second, where they can be made rarer: it takes 0.1 to 0.2 ms of CPU for each, so that is
 * 5 to 10 % of a core (`npm run bench:scale -- checks`).
 */
export const hostChecksPerSecond = 500;

/**
 * What a check counts against the rate of an endpoint. One of layer 4 is broken off before the service has to accept anything: its
 * kernel alone answers.
 */
const weights = { tcp: 1 / 4, http: 1 } as const;

/** Where a step back would take it beyond this share of a limit, it is not taken: what wavers around a limit changes nothing. */
const backBelow = 0.75;

/** Between a check that fails and the next, and how long each waits for its end: to connect, or for an answer, ms. As the default template has them. */
const doubtMs = 500;
const checkTimeoutMs = { tcp: 1_000, http: 2_000 } as const;

/** HAProxy lets slowed checks drift (`spread-checks`): each time may be so much longer. */
const drift = 1.1;

/** Connections in a row that fail until a server is out: where checks are rare, traffic is believed sooner. */
const errorLimits = { often: 10, rare: 3 } as const;

/** What the settings allow. */
export interface PaceBounds {
  /** HTTP checks that one endpoint gets in a second from all client hosts together; of layer 4, four times as many. */
  readonly checkRate: number;
  /** Nothing is made rarer than this, whatever it costs, ms. */
  readonly mostMs: number;
}

/** Who checks, and what. */
export interface CheckLoad {
  readonly clientHosts: number;
  /** Servers of this host by the kind of their check, without those whose service has a time of its own. */
  readonly servers: Readonly<Record<'tcp' | 'http', number>>;
}

export function checkLoadOf(listeners: readonly Listener[], clientHosts: number): CheckLoad {
  const servers = { tcp: 0, http: 0 };
  for (const { check, checkIntervalMs, servers: own } of listeners)
    if (checkIntervalMs === null) servers[check === null ? 'tcp' : 'http'] += own.length;
  return { clientHosts, servers };
}

/**
 * The pace for a load. A change of it is a reload of HAProxy, so there are few: each interval is the base times a power of two, or
 * the bound, and a pace is kept while it keeps within the limits and a faster one would come near to them.
 *
 * @param before the same object comes back where it stays
 */
export function paceOf(load: CheckLoad, bounds: PaceBounds, before: CheckPace | null): CheckPace {
  const least = stepsFor(load, bounds, 1);
  const most = stepsFor(load, bounds, backBelow);
  const intervalOf = (kind: 'tcp' | 'http'): number => {
    const choice = intervalsOf(kind, bounds);
    const now = before === null ? 0 : choice.filter((ms) => ms < before[`${kind}Ms`]).length;
    return choice[Math.max(least[kind], Math.min(now, most[kind]))] ?? basePace[`${kind}Ms`];
  };
  const [tcpMs, httpMs] = [intervalOf('tcp'), intervalOf('http')];
  if (before?.tcpMs === tcpMs && before.httpMs === httpMs) return before;
  const isBase = tcpMs === basePace.tcpMs && httpMs === basePace.httpMs;
  if (isBase) return basePace;
  return { tcpMs, httpMs, because: wordsOf(load), byDocker: before?.byDocker ?? basePace.byDocker };
}

/** How long an endpoint that does not answer, and that nobody uses, goes unnoticed, ms. */
export function foundWithinMs(kind: 'tcp' | 'http', pace: CheckPace, intervalMs = pace[`${kind}Ms`]): number {
  const longest = (intervalMs + doubtMs) * (pace.because === null ? 1 : drift);
  return Math.round(longest) + 2 * checkTimeoutMs[kind];
}

/** Whether the pace decides how often HAProxy makes an HTTP check of it: there is one, and the service asks for no interval of its own. */
export function isHttpPaced({ check, checkIntervalMs }: Pick<Listener, 'check' | 'checkIntervalMs'>): boolean {
  return check !== null && checkIntervalMs === null;
}

/** Whether a check of layer 4 stands in for its HTTP check. A name of which that can't be true any more says nothing. */
export function isByDocker(listener: Pick<Listener, 'name' | 'check' | 'checkIntervalMs'>, pace: CheckPace): boolean {
  return pace.byDocker.has(listener.name) && isHttpPaced(listener);
}

/** How the servers of a listener are checked. What its service asks for itself is obeyed, whatever it costs those who gave it. */
export function checkingOf(
  listener: Pick<Listener, 'name' | 'check' | 'checkStatus' | 'checkIntervalMs'>,
  pace: CheckPace,
): Pick<Listener, 'check' | 'checkStatus'> & { readonly checkInterval: string; readonly errorLimit: number } {
  const { check, checkStatus, checkIntervalMs } = listener;
  const isInstead = isByDocker(listener, pace);
  const kind = check === null || isInstead ? 'tcpMs' : 'httpMs';
  const isRare = isInstead || (checkIntervalMs === null && pace[kind] > basePace[kind]);
  return {
    check: isInstead ? null : check,
    checkStatus: isInstead ? null : checkStatus,
    checkInterval: formatDuration(checkIntervalMs ?? pace[kind]),
    errorLimit: errorLimits[isRare ? 'rare' : 'often'],
  };
}

/** What the load is, as the reason of a pace. */
function wordsOf({ clientHosts, servers }: CheckLoad): string {
  const endpoints = servers.tcp + servers.http;
  return [
    `${String(clientHosts)} client host${clientHosts === 1 ? '' : 's'}`,
    // At a start the first decision may come before the first of them.
    ...(endpoints === 0 ? [] : [`${String(endpoints)} endpoint${endpoints === 1 ? '' : 's'} here`]),
  ].join(', ');
}

/** `checks every 20s, over HTTP every 16s`, with why where they are slowed. */
export function formatPace({
  tcpMs,
  httpMs,
  because,
  byDocker,
}: Omit<CheckPace, 'byDocker'> & { readonly byDocker: Iterable<string> }): string {
  const count = [...byDocker].length;
  const instead =
    count === 0
      ? ''
      : `, but by layer 4 for ${String(count)} listener${count === 1 ? '' : 's'} that Docker's HEALTHCHECK looks after`;
  const pace = `checks every ${formatDuration(tcpMs)}, over HTTP every ${formatDuration(httpMs)}${instead}`;
  return because === null ? pace : `${pace}: ${because}`;
}

/** What an interval may be, ascending. */
function intervalsOf(kind: 'tcp' | 'http', { mostMs }: PaceBounds): number[] {
  const choice = [basePace[`${kind}Ms`]];
  for (let last = choice[0] ?? 0; last < mostMs; last = choice.at(-1) ?? mostMs)
    choice.push(Math.min(2 * last, mostMs));
  return choice;
}

/** The least steps away from the base that keep within this share of the limits; the last one where none does. */
function stepsFor(
  { clientHosts, servers }: CheckLoad,
  bounds: PaceBounds,
  share: number,
): Readonly<Record<'tcp' | 'http', number>> {
  const choice = { tcp: intervalsOf('tcp', bounds), http: intervalsOf('http', bounds) };
  const perSecond = (kind: 'tcp' | 'http', step: number): number =>
    1000 / (choice[kind][step] ?? choice[kind].at(-1) ?? bounds.mostMs);
  const longest = Math.max(choice.tcp.length, choice.http.length);
  const leastStep = (isEnough: (step: number) => boolean): number => {
    let step = 0;
    while (step < longest - 1 && !isEnough(step)) step += 1;
    return step;
  };
  const forHost = leastStep(
    (step) =>
      servers.tcp * perSecond('tcp', step) + servers.http * perSecond('http', step) <= share * hostChecksPerSecond,
  );
  const stepOf = (kind: 'tcp' | 'http'): number => {
    const forEndpoint = leastStep(
      (step) => clientHosts * weights[kind] * perSecond(kind, step) <= share * bounds.checkRate,
    );
    return Math.min(Math.max(forHost, forEndpoint), choice[kind].length - 1);
  };
  return { tcp: stepOf('tcp'), http: stepOf('http') };
}
