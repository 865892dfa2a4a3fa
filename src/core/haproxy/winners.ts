import { compareText } from '../catalog.js';
import type { Claim } from './claims.js';
import type { Listener } from './listener.js';

/** A thing that one listener at a time can have: a port, or a route. */
interface Contest<K> {
  readonly wants: (listener: Listener) => readonly K[];
  /** It had this before. */
  readonly holds: (listener: Listener, thing: K) => boolean;
}

/**
 * Who has what several may ask for. The holder keeps it, also while it lingers: a service that is being redeployed must not
 * find another's traffic on its port. Only a service that came after the holder was last seen with an endpoint takes over
 * at once. Among several that may have it, the one with the oldest registration wins.
 */
export function winnersOf<K>(claims: readonly Claim[], { wants, holds }: Contest<K>): ReadonlyMap<K, Listener> {
  const winners = new Map<K, Listener>();
  const first = new Map<K, Claim>();
  /** Most things are wanted by nobody else. */
  const contested = new Map<K, Claim[]>();
  for (const claim of claims) {
    for (const thing of wants(claim.listener)) {
      const other = first.get(thing);
      if (other === undefined) {
        first.set(thing, claim);
        winners.set(thing, claim.listener);
        continue;
      }
      const those = contested.get(thing) ?? [other];
      those.push(claim);
      contested.set(thing, those);
    }
  }
  for (const [thing, those] of contested)
    winners.set(
      thing,
      winnerOf(those, (one) => holds(one, thing)),
    );
  return winners;
}

function winnerOf(claimants: readonly Claim[], holds: (listener: Listener) => boolean): Listener {
  const holder = claimants.find(({ listener }) => holds(listener));
  if (holder === undefined) return oldestOf(claimants).listener;
  const emptied = holder.listener.empty?.revision ?? Infinity;
  const successors = claimants.filter(({ since }) => since > emptied);
  return successors.length === 0 ? holder.listener : oldestOf(successors).listener;
}

function oldestOf(claims: readonly Claim[]): Claim {
  return claims.reduce((oldest, claim) => {
    const earlier = claim.since - oldest.since || compareText(claim.listener.name, oldest.listener.name);
    return earlier < 0 ? claim : oldest;
  });
}
