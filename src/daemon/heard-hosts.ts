import { steadyNowMs } from './clock.js';

/** Which hosts with missed keys were heard since. Those without one are of no interest, and there may be any number of them. */
export interface HeardHosts {
  /** A key of the host is missed. @returns its place in the order of what happened */
  miss(host: string): number;
  /** The same, of an earlier run. */
  restore(host: string): number;
  /** A key of the host was put. */
  hear(host: string): void;
  /** It was heard so long ago, after something that happened at this place in the order. */
  isBack(host: string, since: { readonly order: number; readonly forMs: number }): boolean;
  /** Only these have missed keys. */
  keep(hosts: () => ReadonlySet<string>, most: number): void;
}

export function createHeardHosts(): HeardHosts {
  /** When one of its keys was first put since one was missed. */
  const heard = new Map<string, { readonly atMs: number; readonly order: number }>();
  /** When one of its keys was last missed. */
  const lastMissed = new Map<string, number>();
  /** Counts what happened: two things within one reading of the clock have an order too. */
  let order = 0;
  return {
    miss(host) {
      order += 1;
      lastMissed.set(host, order);
      return order;
    },
    restore(host) {
      lastMissed.set(host, order);
      return order;
    },
    hear(host) {
      const missedAs = lastMissed.get(host);
      if (missedAs === undefined) return;
      // The first one counts: a host on which something comes and goes all the time has been heard too.
      const before = heard.get(host);
      order += 1;
      if (before === undefined || missedAs > before.order) heard.set(host, { atMs: steadyNowMs(), order });
    },
    isBack(host, { order: missedAs, forMs }) {
      const last = heard.get(host);
      return last !== undefined && last.order > missedAs && steadyNowMs() - last.atMs > forMs;
    },
    keep(hosts, most) {
      if (lastMissed.size <= 2 * most) return;
      const kept = hosts();
      for (const host of [...lastMissed.keys()].filter((one) => !kept.has(one))) {
        lastMissed.delete(host);
        heard.delete(host);
      }
    },
  };
}
