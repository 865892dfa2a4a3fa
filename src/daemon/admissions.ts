import { admit, type Accounts, type Limited } from '../core/change-rate.js';
import { shortIdOf } from '../core/container.js';
import { formatDuration } from '../core/duration.js';
import type { Logger } from '../ports/log.js';
import type { Contribution } from './contributions.js';

export interface Admissions {
  /**
   * @param renewed by id: what became of containers since the last look; null for one that is gone
   * @returns ids of those that are let in now, or no longer
   */
  look(renewed: ReadonlyMap<string, Contribution | null>): ReadonlySet<string>;
  /** Ids of those that are kept out. */
  keptOut(): ReadonlySet<string>;
  /** When one of them may come back, in ms from the last look, or null. */
  againInMs(): number | null;
}

/**
 * Keeps containers out that come and go too often, and tells of it.
 *
 * @param changeRate changes per second that a container may make on average; 0 is no limit
 */
export function createAdmissions(changeRate: number, log: Logger): Admissions {
  let accounts: Accounts = new Map();
  let keptOut: ReadonlySet<string> = new Set();
  let againInMs: number | null = null;
  const wanted = new Set<string>();
  /** Of those that are kept out, by id, for the log of what is gone by then. */
  const names = new Map<string, string>();

  const turnedOf = (renewed: ReadonlyMap<string, Contribution | null>): Map<string, boolean> => {
    const turned = new Map<string, boolean>();
    for (const [id, contribution] of renewed) {
      const wants = contribution !== null && contribution.claims.length > 0;
      if (wants === wanted.has(id)) continue;
      turned.set(id, wants);
      if (wants) wanted.add(id);
      else wanted.delete(id);
    }
    return turned;
  };

  const about = ({ id, changes, withinMs }: Limited): object => ({
    container: names.get(id),
    id: shortIdOf(id),
    changes,
    withinMs,
  });

  return {
    keptOut: () => keptOut,
    againInMs: () => againInMs,

    look(renewed) {
      if (changeRate === 0) return new Set();
      const before = keptOut;
      const turned = turnedOf(renewed);
      const admission = admit(accounts, { turned, nowMs: performance.now(), perSecond: changeRate });
      ({ accounts, keptOut, againInMs } = admission);
      for (const one of admission.begins) {
        names.set(one.id, renewed.get(one.id)?.container.name ?? '');
        const retryIn = formatDuration(againInMs ?? 0);
        log.warn({ ...about(one), changeRate, retryIn }, 'comes and goes too often; kept out meanwhile');
      }
      for (const one of admission.ends) {
        log.info(about(one), 'no longer comes and goes too often');
        names.delete(one.id);
      }
      return new Set([...before, ...keptOut].filter((id) => before.has(id) !== keptOut.has(id)));
    },
  };
}
