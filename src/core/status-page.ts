import type { Problem } from './catalog.js';
import type { ProblemsByKind } from './discover-counts.js';
import type { DiscoverStatus } from './discover-status.js';
import type { PageHead, PageListener, PageProblems, PageUpdate, ProblemKind } from './page-update.js';
import { printable } from './result.js';
import type { ListenerStatus, RecentChange } from './status-parts.js';

/** A part of what is told, with its JSON, by which it is compared. */
interface Part<T> {
  readonly value: T;
  readonly json: string;
}

/** All that can be told at a time. What did not change is the same object as before. */
export interface PageParts {
  readonly head: Part<PageHead>;
  readonly problems: Part<PageProblems>;
  readonly changes: Part<readonly RecentChange[]>;
  /** By name. */
  readonly listeners: ReadonlyMap<string, Part<PageListener>>;
}

export interface PageInput {
  readonly about: Pick<PageHead, 'host' | 'version' | 'statsPort'>;
  readonly status: DiscoverStatus;
  readonly problems: ProblemsByKind;
  readonly nowMs: number;
}

/** A hundred thousand keys that break the grammar must not hide the services. */
const shownProblems = 50;
const shownKeyLength = 120;
/** HAProxy tells whole seconds since, and they are not those of our clock. */
const sameTimeMs = 2_000;

/** @param before what was told last, if anything */
export function pagePartsOf({ about, status, problems, nowMs }: PageInput, before: PageParts | null): PageParts {
  const { catalog, revision, output, fault, changes } = status;
  const { running, workerPid, silence, reloads, runtimeChanges, lastReload } = status.haproxy;
  const haproxy = { running, workerPid, silence, reloads, runtimeChanges, lastReload };
  const listeners = status.listeners.map((listener): [string, Part<PageListener>] => {
    const there = before?.listeners.get(listener.name);
    return [listener.name, partOf(pageListenerOf(listener, { nowMs, before: there?.value }), there)];
  });
  return {
    head: partOf({ ...about, catalog, revision, output, fault, haproxy }, before?.head),
    problems: partOf(pageProblemsOf(problems), before?.problems),
    changes: partOf(changes, before?.changes),
    listeners: new Map(listeners),
  };
}

/** What tells `next` to who was told `before`; null where there is nothing to tell. */
export function pageUpdateOf(before: PageParts | null, next: PageParts, nowMs: number): PageUpdate | null {
  const listeners = [...next.listeners].filter(([name, part]) => part !== before?.listeners.get(name));
  const gone = [...(before?.listeners.keys() ?? [])].filter((name) => !next.listeners.has(name));
  const told = {
    ...(next.head !== before?.head && { head: next.head.value }),
    ...(next.problems !== before?.problems && { problems: next.problems.value }),
    ...(next.changes !== before?.changes && { changes: next.changes.value }),
    ...(listeners.length > 0 && { listeners: listeners.map(([, { value }]) => value) }),
    ...(gone.length > 0 && { gone }),
  };
  return Object.keys(told).length === 0 ? null : { nowMs, isWhole: before === null, ...told };
}

function partOf<T>(value: T, before: Part<T> | undefined): Part<T> {
  const json = JSON.stringify(value);
  return before?.json === json ? before : { value, json };
}

function pageListenerOf(
  { endpoints, ...listener }: ListenerStatus,
  { nowMs, before }: { nowMs: number; before: PageListener | undefined },
): PageListener {
  const told = new Map(before?.endpoints.map((endpoint) => [endpoint.id, endpoint.sinceMs]));
  return {
    ...listener,
    endpoints: endpoints.map(({ id, address, weight, zone, status, checkText, sinceSeconds, sessions, stale }) => {
      const since = sinceSeconds === null ? null : nowMs - sinceSeconds * 1000;
      const sinceMs = steadyOf(since, told.get(id) ?? null);
      return { id, address, weight, zone, status, checkText, sessions, stale, sinceMs };
    }),
  };
}

/** The time that was told already, where it is the same but for rounding. */
function steadyOf(sinceMs: number | null, told: number | null): number | null {
  return sinceMs !== null && told !== null && Math.abs(sinceMs - told) < sameTimeMs ? told : sinceMs;
}

function pageProblemsOf({
  refused,
  forbidden,
  conflicting,
  rejected,
  barred,
  certificate,
  limit,
}: ProblemsByKind): PageProblems {
  // What costs a whole service or the page comes before a single key.
  const byKind = { barred, certificate, limit, refused, forbidden, conflicting, rejected };
  const lists = Object.entries(byKind) as [ProblemKind, readonly Problem[]][];
  return {
    counts: Object.fromEntries(lists.map(([kind, list]) => [kind, list.length])) as PageProblems['counts'],
    shown: lists.flatMap(([kind, list]) =>
      list.slice(0, shownProblems).map(({ key, reason }) => ({ kind, key: printable(key, shownKeyLength), reason })),
    ),
  };
}
