import { accept, reject, type Parsed } from './result.js';

/**
 * Changes of one container that are free, before the average counts: five restarts in a row, each of which is a going and
 * a coming.
 */
const burst = 10;

/** What one container has used up. */
interface Account {
  readonly wanted: boolean;
  readonly registered: boolean;
  /** Changes that it may still make; below one it may not come back. Going is never refused, so it can fall below zero. */
  readonly credit: number;
  readonly atMs: number;
  /** Changes since its credit was last full, and when that was. */
  readonly changes: number;
  readonly sinceMs: number;
  /** It was kept out, and its credit has not been full since. */
  readonly limited: boolean;
}

/** By id. A container without one is registered if it would be, and has made no change lately. */
export type Accounts = ReadonlyMap<string, Account>;

export interface Limited {
  readonly id: string;
  readonly changes: number;
  /** How long those changes took. */
  readonly withinMs: number;
}

export interface Admission {
  readonly accounts: Accounts;
  /** Those that run and are kept out for now. */
  readonly keptOut: ReadonlySet<string>;
  /** Whose first change too many this was. */
  readonly begins: readonly Limited[];
  /** Who has been quiet for long enough, or is gone. */
  readonly ends: readonly Limited[];
  /** When to look again, or null. */
  readonly againInMs: number | null;
}

/**
 * A container whose registration comes and goes all the time is kept out until it may come back, so that one restart loop
 * is no storm for every client host. A token bucket per container; what goes, goes at once.
 *
 * Costs as much as those that have changed lately, and not as much as all.
 *
 * @param turned by id: whether a container would be registered, where that is otherwise than at the last look
 * @param nowMs from a monotonic clock
 * @param perSecond changes per second on average
 */
export function admit(
  accounts: Accounts,
  { turned, nowMs, perSecond }: { turned: ReadonlyMap<string, boolean>; nowMs: number; perSecond: number },
): Admission {
  const next = new Map<string, Account>();
  const keptOut = new Set<string>();
  const begins: Limited[] = [];
  const ends: Limited[] = [];
  let againInMs = Infinity;
  const waitMs = (missing: number): number => Math.ceil((missing / perSecond) * 1_000);

  for (const id of new Set([...accounts.keys(), ...turned.keys()])) {
    const known = accounts.get(id) ?? opened(turned.get(id) !== true, nowMs);
    const account = refilled({ ...known, wanted: turned.get(id) ?? known.wanted }, nowMs, perSecond);
    if (account.limited && account.credit >= burst) ends.push(limitedOf(id, account, nowMs));
    const rested = account.credit >= burst ? { ...account, changes: 0, sinceMs: nowMs, limited: false } : account;
    const { wanted, registered } = rested;
    if (wanted === registered) {
      // One whose account is full again is as good as new.
      if (rested.credit < burst) next.set(id, rested);
    } else if (wanted && rested.credit < 1) {
      keptOut.add(id);
      if (!rested.limited) begins.push(limitedOf(id, rested, nowMs));
      next.set(id, { ...rested, limited: true });
      againInMs = Math.min(againInMs, waitMs(1 - rested.credit));
    } else {
      next.set(id, { ...rested, registered: wanted, credit: rested.credit - 1, changes: rested.changes + 1 });
    }
    const { limited, credit } = next.get(id) ?? rested;
    if (limited) againInMs = Math.min(againInMs, waitMs(burst - credit));
  }
  return { accounts: next, keptOut, begins, ends, againInMs: againInMs === Infinity ? null : againInMs };
}

function opened(is: boolean, nowMs: number): Account {
  return { wanted: is, registered: is, credit: burst, atMs: nowMs, changes: 0, sinceMs: nowMs, limited: false };
}

function refilled(account: Account, nowMs: number, perSecond: number): Account {
  const credit = account.credit + ((nowMs - account.atMs) / 1_000) * perSecond;
  // What was waited for to the millisecond must not fail by a rounding error.
  return { ...account, credit: Math.min(burst, credit + 1e-6), atMs: nowMs };
}

function limitedOf(id: string, { changes, sinceMs }: Account, nowMs: number): Limited {
  return { id, changes, withinMs: Math.round(nowMs - sinceMs) };
}

/** `1`, `0.2`; `0` is no limit. */
export function parseChangeRate(text: string): Parsed<number> {
  const rate = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (rate === 0 || (rate >= 0.01 && rate <= 1_000)) return accept(rate);
  return reject('must be a number of changes per second from 0.01 to 1000, or 0 for no limit');
}
