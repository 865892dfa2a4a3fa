import type { PageEndpoint, PageHead, PageListener, PageProblems, PageUpdate } from '../core/page-update.js';
import { goneStateOf, stateOf, type State } from './words.js';

/** An endpoint as it is shown: also for a while after it went, so that nobody has to notice an absence. */
export interface ShownEndpoint extends PageEndpoint {
  readonly state: State;
  /** Since when we see it so, by our clock; 0 where it was so when we began to look on. */
  readonly stateAtMs: number;
  /** When it went; null while it is there. */
  readonly goneAtMs: number | null;
  /** When it came, by our clock; null where it was there when we began to look on. */
  readonly cameAtMs: number | null;
}

export interface ShownListener extends Omit<PageListener, 'endpoints'> {
  readonly endpoints: readonly ShownEndpoint[];
  readonly goneAtMs: number | null;
  readonly cameAtMs: number | null;
}

export interface PageState {
  readonly head: PageHead | null;
  readonly problems: PageProblems | null;
  readonly changes: NonNullable<PageUpdate['changes']>;
  /** By name. */
  readonly listeners: ReadonlyMap<string, ShownListener>;
  /** What the daemon's clock is ahead of ours. */
  readonly aheadMs: number;
}

export const nothingKnown: PageState = { head: null, problems: null, changes: [], listeners: new Map(), aheadMs: 0 };

/** So long what went is shown. */
export const goneShownMs = 6_000;

/** The state after an update. What did not change is the same object. */
export function updated(state: PageState, update: PageUpdate, nowMs: number): PageState {
  const { head = state.head, problems = state.problems, changes = state.changes } = update;
  const isFirst = state.head === null;
  const isOurs = head === null || head.output === null;
  const listeners = new Map(state.listeners);
  const told = new Set(update.listeners?.map(({ name }) => name));
  for (const [name, listener] of listeners) {
    const isGone = update.isWhole ? !told.has(name) : update.gone?.includes(name) === true;
    if (isGone && listener.goneAtMs === null) listeners.set(name, goneListener(listener, nowMs));
  }
  for (const listener of update.listeners ?? []) {
    const before = listeners.get(listener.name);
    const cameAtMs = cameAt(before, { isFirst, nowMs });
    const endpoints = merged(listener.endpoints, before?.endpoints ?? [], { isFirst, isOurs, nowMs });
    listeners.set(listener.name, { ...listener, endpoints, goneAtMs: null, cameAtMs });
  }
  return { head, problems, changes, listeners, aheadMs: update.nowMs - nowMs };
}

/** The state without what went long enough ago; the same object where there is none. */
export function swept(state: PageState, nowMs: number): PageState {
  const isOver = ({ goneAtMs }: { readonly goneAtMs: number | null }): boolean =>
    goneAtMs !== null && nowMs - goneAtMs >= goneShownMs;
  const over = [...state.listeners.values()].filter((listener) => isOver(listener) || listener.endpoints.some(isOver));
  if (over.length === 0) return state;
  const listeners = new Map(state.listeners);
  for (const listener of over) {
    if (isOver(listener)) listeners.delete(listener.name);
    else listeners.set(listener.name, { ...listener, endpoints: listener.endpoints.filter((one) => !isOver(one)) });
  }
  return { ...state, listeners };
}

function merged(
  endpoints: readonly PageEndpoint[],
  before: readonly ShownEndpoint[],
  { isFirst, isOurs, nowMs }: { isFirst: boolean; isOurs: boolean; nowMs: number },
): ShownEndpoint[] {
  const there = new Map(before.map((endpoint) => [endpoint.id, endpoint]));
  const now = endpoints.map((endpoint): ShownEndpoint => {
    const old = there.get(endpoint.id);
    there.delete(endpoint.id);
    const cameAtMs = cameAt(old, { isFirst, nowMs });
    const state = stateOf(endpoint, isOurs);
    const stateAtMs = old?.state.word === state.word ? old.stateAtMs : isFirst ? 0 : nowMs;
    const next = { ...endpoint, state, stateAtMs, goneAtMs: null, cameAtMs };
    return old !== undefined && isSame(old, next) ? old : next;
  });
  const gone = [...there.values()].map((endpoint) => goneEndpoint(endpoint, nowMs));
  return gone.length === 0 ? now : [...now, ...gone].sort(({ id: a }, { id: b }) => (a < b ? -1 : 1));
}

function isSame(old: ShownEndpoint, next: ShownEndpoint): boolean {
  const { state, ...plain } = next;
  return (
    old.state.word === state.word &&
    (Object.keys(plain) as (keyof typeof plain)[]).every((name) => old[name] === next[name])
  );
}

/** One that comes back is new again. */
function cameAt(
  before: Pick<ShownEndpoint, 'goneAtMs' | 'cameAtMs'> | undefined,
  { isFirst, nowMs }: { isFirst: boolean; nowMs: number },
): number | null {
  if (isFirst) return null;
  return before === undefined || before.goneAtMs !== null ? nowMs : before.cameAtMs;
}

function goneEndpoint(endpoint: ShownEndpoint, goneAtMs: number): ShownEndpoint {
  if (endpoint.goneAtMs !== null) return endpoint;
  return { ...endpoint, state: goneStateOf(endpoint.state, goneAtMs - endpoint.stateAtMs), goneAtMs };
}

function goneListener(listener: ShownListener, goneAtMs: number): ShownListener {
  return { ...listener, goneAtMs, endpoints: listener.endpoints.map((endpoint) => goneEndpoint(endpoint, goneAtMs)) };
}
