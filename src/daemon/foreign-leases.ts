import { verdictOf, type ForeignKey, type LeaseSighting } from '../core/ownership.js';
import { leaseText } from '../core/lease.js';
import type { Logger } from '../ports/log.js';
import type { Registry } from '../ports/registry.js';
import { createLasting } from './lasting.js';

/** While nobody knows yet whether a lease is kept alive. */
const undecidedMs = 1_000;
/** Keys of a lease that a line has; how many there are it says too. */
const mostNamed = 5;

export interface Judged {
  /** Leases that nobody keeps alive; their keys are free. */
  readonly orphans: ReadonlySet<string>;
  /** When to look again, or null. */
  readonly againInMs: number | null;
}

/**
 * Tells the leftovers of a process that is gone from the keys of another docker-register that lives: an orphan is cleared
 * away, one that lives is warned of and left alone. Two that took each other's keys away would never end.
 */
export function createForeignLeases({ registry, hostIp, log }: { registry: Registry; hostIp: string; log: Logger }): {
  judge(foreign: readonly ForeignKey[], signal: AbortSignal): Promise<Judged>;
} {
  let sightings: ReadonlyMap<string, LeaseSighting> = new Map();
  const lasting = createLasting(log);

  const warn = (lease: string, keys: readonly ForeignKey[]): void => {
    const [first] = keys;
    if (first === undefined) return;
    const named = keys.slice(0, mostNamed).map(({ key }) => key);
    const fields = { hostIp, lease: leaseText(lease), key: named.join(', '), keys: keys.length };
    if (first.isNamesake)
      lasting.tell(
        lease,
        fields,
        'another registration has the same SERVICE_ID; ours is left out: give each an id of its own',
      );
    else if (first.runsHere)
      lasting.tell(
        lease,
        fields,
        'another docker-register writes the keys of the same containers: run one per Docker engine, and see whether one of its containers has the id of ours as SERVICE_ID',
      );
    else
      lasting.tell(
        lease,
        fields,
        'another docker-register has the same HOST_IP; its keys are left alone: give each host a HOST_IP of its own',
      );
  };

  return {
    async judge(foreign, signal) {
      const orphans = new Set<string>();
      const firsts = new Map<string, LeaseSighting>();
      const alive = new Set<string>();
      let againInMs = Infinity;
      for (const lease of new Set(foreign.map((key) => key.lease))) {
        const askedAtMs = performance.now();
        const time = await registry.leaseTime(lease, signal);
        const last = time && { ...time, askedAtMs, answeredAtMs: performance.now() };
        const first = sightings.get(lease) ?? last;
        const verdict = last === null || first === null ? 'orphan' : verdictOf(first, last);
        if (verdict === 'orphan' || first === null) {
          orphans.add(lease);
          continue;
        }
        firsts.set(lease, first);
        if (verdict === 'kept alive') {
          alive.add(lease);
          // Often enough to see it between its being missed, and its end, which takes the keys along.
          againInMs = Math.min(againInMs, first.grantedMs / 4);
          // Keys of its own first: that is the graver mistake.
          const keys = foreign.filter((key) => key.lease === lease);
          warn(lease, [...keys.filter(({ runsHere }) => !runsHere), ...keys.filter(({ runsHere }) => runsHere)]);
        } else againInMs = Math.min(againInMs, undecidedMs);
      }
      sightings = firsts;
      for (const lease of lasting.open())
        if (!alive.has(lease)) lasting.end(lease, { hostIp, lease }, 'the other docker-register is gone');
      return { orphans, againInMs: againInMs === Infinity ? null : againInMs };
    },
  };
}
