import type { Problem } from '../core/catalog.js';
import { printableKey } from '../core/keyspace.js';
import { logShareOf, unusedQuota } from '../core/log-quota.js';
import { problemChanges } from '../core/problem-changes.js';
import type { Logger } from '../ports/log.js';

export interface ProblemLog {
  /**
   * Tells what is not served, each key once while it lasts, whatever becomes of its reason, and when it is over. Of many
   * at once it tells some, and the number of the others.
   *
   * @param lists what is not served, sorted by key; a list that is the same object as at the last call costs nothing
   */
  tell(lists: readonly (readonly Problem[])[]): void;
}

export function createProblemLog(log: Logger): ProblemLog {
  let before: readonly (readonly Problem[])[] = [];
  /** Not served, and not yet told. */
  const begun = new Map<string, Problem>();
  /** Told, and over since. */
  const ended = new Set<string>();
  let beginnings = unusedQuota;
  let ends = unusedQuota;

  const note = (lists: readonly (readonly Problem[])[]): void => {
    const { went, came } = problemChanges(before, lists);
    before = lists;
    for (const { key } of went) if (!begun.delete(key)) ended.add(key);
    for (const problem of came) if (!ended.delete(problem.key)) begun.set(problem.key, problem);
  };

  const tellBegun = (notServed: number): void => {
    const share = logShareOf(beginnings, { pending: begun.size, whole: false, nowMs: performance.now() });
    beginnings = share.quota;
    for (const { key, reason } of first(share.singles, begun.values())) {
      log.warn({ key: printableKey(key), reason }, 'not served');
      begun.delete(key);
    }
    if (share.summed === 0) return;
    log.warn({ more: share.summed, notServed }, 'more are not served; `docker-discover ls` lists them');
    begun.clear();
  };

  const tellEnded = (notServed: number): void => {
    const share = logShareOf(ends, { pending: ended.size, whole: true, nowMs: performance.now() });
    ends = share.quota;
    for (const key of first(share.singles, ended)) {
      log.info({ key: printableKey(key) }, 'no longer a problem');
      ended.delete(key);
    }
    if (share.summed === 0) return;
    log.info({ problems: share.summed, notServed }, 'many are no longer a problem');
    ended.clear();
  };

  return {
    tell(lists) {
      note(lists);
      const notServed = lists.reduce((sum, list) => sum + list.length, 0);
      tellBegun(notServed);
      tellEnded(notServed);
    },
  };
}

function first<T>(count: number, items: Iterable<T>): T[] {
  const taken: T[] = [];
  for (const item of items) {
    if (taken.length === count) break;
    taken.push(item);
  }
  return taken;
}
